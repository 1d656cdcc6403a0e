import { isUtf8 } from 'node:buffer';

/** Bytes as text where they are text that a terminal can show, else as `hex:` and pairs of digits. */
export function showBytes(bytes: Buffer): string {
  if (isUtf8(bytes)) {
    const text = bytes.toString('utf8');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal must not be given
    if (!/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text)) return text;
  }
  return showHex(bytes);
}

export function showHex(bytes: Buffer): string {
  return `hex:${bytes.toString('hex').replace(/..(?=.)/g, '$& ')}`;
}

export function showFault({ code, text }: { readonly code: string; readonly text: string }): string {
  return `${code}: ${text}`;
}
