/** Bytes that a kept payload may hold beside its own. */
const MOST_AROUND = 256;

/** A payload that may be kept: it is counted by its own bytes, and must not hold the 64 KiB that it was read with. */
export function ownBytes(payload: Buffer): Buffer {
  if (payload.buffer.byteLength <= payload.length + MOST_AROUND) return payload;
  const own = Buffer.allocUnsafeSlow(payload.length);
  payload.copy(own);
  return own;
}
