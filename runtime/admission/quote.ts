/** What steers a terminal, or changes the order in which a line is read. */
const UNSEEN = /[\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A name from a stranger for a message: quoted, on one line, no longer than `most` characters. */
export function quote(text: string, most: number): string {
  return JSON.stringify(text.slice(0, most)).replace(
    UNSEEN,
    sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
