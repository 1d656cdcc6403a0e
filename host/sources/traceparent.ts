/** W3C Trace Context, 3.2: where its parts stand, each behind a hyphen. Versions after 00 may go on behind it. */
const TRACE_ID = 3;
const PARENT_ID = 36;
const FLAGS = 53;
const LENGTH = 55;
const VERSION_DIGITS = 2;
const TRACE_DIGITS = 32;
const PARENT_DIGITS = 16;
const FLAG_DIGITS = 2;
const HYPHEN = 0x2d;
const ZERO = 0x30;
/** f: version ff is none. */
const LAST = 0x66;

/** Where the trace id stands in the `traceparent` that `bytes[start, end)` is; -1: it is none, and ignored (3.2.2). */
export function traceIdAt(bytes: Uint8Array, start: number, end: number): number {
  if (end - start < LENGTH) return -1;
  const trace = start + TRACE_ID;
  const parent = start + PARENT_ID;
  const flags = start + FLAGS;
  if (!isHex(bytes, start, VERSION_DIGITS) || both(bytes, start, LAST)) return -1;
  if (bytes[trace - 1] !== HYPHEN || !isId(bytes, trace, TRACE_DIGITS)) return -1;
  if (bytes[parent - 1] !== HYPHEN || !isId(bytes, parent, PARENT_DIGITS)) return -1;
  if (bytes[flags - 1] !== HYPHEN || !isHex(bytes, flags, FLAG_DIGITS)) return -1;
  const goesOn = end - start > LENGTH;
  return goesOn && (both(bytes, start, ZERO) || bytes[start + LENGTH] !== HYPHEN) ? -1 : trace;
}

/** Of a header: its trace id, in hex. */
export function traceIdOf(header: string | string[] | undefined): Buffer | undefined {
  if (header === undefined) return undefined;
  const bytes = Buffer.from(String(header), 'latin1');
  const at = traceIdAt(bytes, 0, bytes.length);
  return at < 0 ? undefined : bytes.subarray(at, at + TRACE_DIGITS);
}

/** Not all zeros (3.2.2.3, 3.2.2.4). */
function isId(bytes: Uint8Array, start: number, size: number): boolean {
  let seen = false;
  for (let i = start; i < start + size; i++) seen ||= bytes[i] !== ZERO;
  return seen && isHex(bytes, start, size);
}

function both(bytes: Uint8Array, start: number, byte: number): boolean {
  return bytes[start] === byte && bytes[start + 1] === byte;
}

/** In lower case. */
function isHex(bytes: Uint8Array, start: number, size: number): boolean {
  for (let i = start; i < start + size; i++) {
    const byte = bytes[i]!;
    if (!(byte >= ZERO && byte <= 0x39) && !(byte >= 0x61 && byte <= LAST)) return false;
  }
  return true;
}
