const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as text where they are text that a terminal can show, else as `hex:` and pairs of digits. */
export function showBytes(bytes: Buffer): string {
  const text = textOf(bytes);
  if (text !== undefined) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal must not be given
    if (!/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/.test(text)) return text;
  }
  return showHex(bytes);
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

export function showHex(bytes: Buffer): string {
  return `hex:${bytes.toString('hex').replace(/..(?=.)/g, '$& ')}`;
}

export function showFault({ code, text }: { readonly code: string; readonly text: string }): string {
  return `${code}: ${text}`;
}
