// The memory of a plugin: what it keeps for life lies below the arena; the arena holds one call, the
// host's input first, what the plugin allocates behind it. No managed objects: they would collide.

let base: usize = (__heap_base + 15) & ~15;
let next: usize = base;
let limit: usize = <usize>memory.size() << 16;

/** Number of the call; what was allocated under another number is gone. */
export let call: u32 = 0;

/** Contract: begins a call, forgets the last one, lends `size` bytes to the host. 0 = out of memory. */
export function sluice_arena(size: u32): usize {
  next = base;
  call++;
  if (!room(size)) return 0;
  next = base + size;
  return base;
}

/** Contract: one behind the last byte that this call has allocated. */
export function sluice_arena_end(): usize {
  return next;
}

/** Memory until the end of the call, not cleared. Out of memory is a trap: the instance is thrown away. */
export function allocate(size: u32, align: usize): usize {
  const at = (next + align - 1) & ~(align - 1);
  if (size > 0x7fffffff || !room(size + <u32>(at - next))) unreachable();
  next = at + size;
  return at;
}

/** Memory for the life of the instance. Meant for start and configure; never given back. */
export function keep(size: u32): usize {
  const at = allocate(size, 16);
  base = (next + 15) & ~15;
  return at;
}

/** True if the address lies where results have to lie. */
// @ts-ignore: decorator
@inline
export function inArena(at: usize): bool {
  return at >= base && at < next;
}

/** Begins a text at the end of the arena. One text at a time, nothing else allocated in between. */
// @ts-ignore: decorator
@inline
export function begin(): usize {
  return next;
}

/** Ends the text begun last, whose last byte lies in front of `p`, and returns its start. */
// @ts-ignore: decorator
@inline
export function finish(p: usize): usize {
  const start = next;
  next = p;
  return start;
}

/** Makes sure that `bytes` can be written at `p`. */
// @ts-ignore: decorator
@inline
export function ensure(p: usize, bytes: u32): void {
  if (<u64>p + bytes > limit) growFor(p, bytes);
}

function growFor(p: usize, bytes: u32): void {
  if (!grow(<u64>p + bytes)) unreachable();
}

// @ts-ignore: decorator
@inline
function room(bytes: u32): bool {
  return <u64>next + bytes <= limit || grow(<u64>next + bytes);
}

function grow(end: u64): bool {
  if (end > 0xffff0000) return false;
  const have = <u64>memory.size() << 16;
  if (end > have) {
    const pages = <i32>((end - have + 0xffff) >> 16);
    // Some more than asked for, so that a growing load does not grow at each call.
    if (memory.grow(pages + 16) < 0 && memory.grow(pages) < 0) return false;
  }
  limit = <usize>min<u64>(<u64>memory.size() << 16, 0xffff0000);
  return true;
}
