import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { appendManifest, readManifest } from '../../../runtime/index.js';

const FILE = new URL('../../guests/stamp.wasm', import.meta.url);
const MARK = 'stamp:';

/** The guest `stamp` as version 1.0.n, whose messages begin with n in six digits and a colon: other code for each n. */
export function stamped(n: number): Uint8Array {
  const bytes = readFileSync(FILE);
  const found = readManifest(bytes);
  if (found === undefined) throw new Error('stamp.wasm carries no manifest');
  const code = bytes.subarray(0, found.end);
  const at = code.indexOf(MARK);
  if (at < 0 || code.indexOf(MARK, at + 1) >= 0) throw new Error('stamp.wasm does not hold its stamp once');
  code.write(String(n).padStart(6, '0'), at + MARK.length);
  const { sha256: _, ...manifest } = found.manifest;
  const sha256 = createHash('sha256').update(code).digest('hex');
  return appendManifest(code, { ...manifest, version: `1.0.${n}` }, sha256);
}
