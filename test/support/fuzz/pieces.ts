/** The bytes as a socket may bring them: cut into pieces of these sizes, taken in turn. */
export function inPieces<T extends Uint8Array>(bytes: T, sizes: readonly number[]): T[] {
  const pieces: T[] = [];
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const size = sizes[n % sizes.length]!;
    pieces.push(bytes.subarray(at, at + size) as T);
    at += size;
  }
  return pieces;
}
