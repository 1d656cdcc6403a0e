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
  if (<i32>size < 0 || !room(size + <u32>(at - next))) unreachable();
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
  return at - base < next - base;
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

/** Makes sure that `bytes` can be written at `p`, which lies behind all that is allocated. */
// @ts-ignore: decorator
@inline
export function ensure(p: usize, bytes: u32): void {
  if (<u32>(limit - p) < bytes) growFor(p, bytes);
}

function growFor(p: usize, bytes: u32): void {
  if (!grow(p, bytes)) unreachable();
}

// @ts-ignore: decorator
@inline
function room(bytes: u32): bool {
  return <u32>(limit - next) >= bytes || grow(next, bytes);
}

/** Room for `bytes` at `p`, where there is not as much. The build's maximum is far below 4 GiB: `limit` never overflows. */
function grow(p: usize, bytes: u32): bool {
  const pages = ((bytes - <u32>(limit - p) - 1) >> 16) + 1;
  // Some more than asked for, so that a growing load does not grow at each call.
  if (memory.grow(pages + 16) < 0 && memory.grow(pages) < 0) return false;
  limit = <usize>memory.size() << 16;
  return true;
}
