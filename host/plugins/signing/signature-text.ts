import { SluiceError } from '../../../runtime/index.js';

/** One signature of a file, as it stands in the text beside it. */
export interface Signature {
  /** Id of the key that it says it was made with: 16 lower-case hex digits. */
  readonly key: string;
  /** 64 bytes. Source: RFC 8032, 5.1.6. */
  readonly bytes: Uint8Array;
}

/** Ceiling for the text: a signature has 111 characters. */
export const SIGNATURE_TEXT_MAX_BYTES = 8192;
/** Signatures of one file: some keys while they are changed, and twice as many while a file is replaced. */
const MOST = 32;

/** The one kind there is. What is signed is in signature.ts. */
const KIND = 'sluice-ed25519';
const ENTRY = /^sluice-ed25519 ([0-9a-f]{16}) ([A-Za-z0-9+/]{86}==)$/;

/**
 * Reads the text of a NAME.wasm.sig, or of the header `Sluice-Signature`: one entry a line, `sluice-ed25519 KEY-ID
 * SIGNATURE` (base64, RFC 4648 section 4), where a comma stands for an end of line as well. Empty lines and lines that
 * begin with # say nothing. Whatever else stands there refuses all of it.
 * @throws SluiceError SLUICE_SIGNATURE_INVALID
 */
export function parseSignatures(text: string): Signature[] {
  if (text.length > SIGNATURE_TEXT_MAX_BYTES) invalid(`has more than ${SIGNATURE_TEXT_MAX_BYTES} characters`);
  const signatures: Signature[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trimStart().startsWith('#')) continue;
    for (const entry of line.split(',').map(part => part.trim())) {
      if (entry !== '') signatures.push(parseEntry(entry, index + 1));
    }
  }
  if (signatures.length === 0) invalid('holds no signature');
  if (signatures.length > MOST) invalid(`holds ${signatures.length} signatures, the ceiling is ${MOST}`);
  return signatures;
}

/** The text of a NAME.wasm.sig. */
export function formatSignatures(signatures: readonly Signature[]): string {
  return signatures
    .map(({ key, bytes }) => `${KIND} ${key} ${Buffer.from(bytes).toString('base64')}\n`)
    .join('');
}

function parseEntry(entry: string, line: number): Signature {
  const [, key, base64] =
    ENTRY.exec(entry) ?? invalid(`is wrong in line ${line}: it has to be "${KIND} KEY-ID SIGNATURE"`);
  const bytes = Buffer.from(base64 as string, 'base64');
  // The last digit of the base64 of 64 bytes carries two bits; the others have to be nothing.
  if (bytes.toString('base64') !== base64)
    invalid(`is wrong in line ${line}: this is not the base64 of 64 bytes`);
  return { key: key as string, bytes };
}

function invalid(why: string): never {
  throw new SluiceError('SLUICE_SIGNATURE_INVALID', `the text of a signature ${why}`);
}
