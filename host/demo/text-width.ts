/** Text as a terminal shows it: how many cells it takes, cut and filled to a width. */

const segments = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
/** East Asian wide and fullwidth forms, and emoji, take two cells. Source: Unicode UAX #11. */
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|^\p{Emoji_Presentation}/u;
/** What a device or a plugin says must not be able to move the cursor. */
const CONTROL = /[\p{Cc}\p{Cf}\u2028\u2029]+/gu;

/** One line without anything that a terminal would act on. */
export function plain(text: string): string {
  return text.replaceAll(CONTROL, ' ');
}

/** Cells that plain text takes. */
export function cells(text: string): number {
  let sum = 0;
  for (const { segment } of segments.segment(text)) sum += cellsOf(segment);
  return sum;
}

/** The text in exactly `width` cells: cut with an ellipsis, or filled with spaces. */
export function fit(text: string, width: number, side: 'left' | 'right' = 'left'): string {
  const shown = cut(plain(text), width);
  const fill = ' '.repeat(Math.max(0, width - cells(shown)));
  return side === 'left' ? shown + fill : fill + shown;
}

/** The text in at most `width` cells. */
export function cut(text: string, width: number): string {
  // Each code unit takes at most two cells.
  if (text.length * 2 <= width || cells(text) <= width) return text;
  let out = '';
  let sum = 0;
  for (const { segment } of segments.segment(text)) {
    sum += cellsOf(segment);
    if (sum > width - 1) break;
    out += segment;
  }
  return width > 0 ? `${out}…` : '';
}

/** Lines of at most `width` cells, broken at spaces; the last of `most` lines is cut. */
export function wrap(text: string, width: number, most: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of plain(text).split(/ +/)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && lines.length < most - 1 && cells(longer) > width) {
      lines.push(cut(line, width));
      line = word;
    } else line = longer;
  }
  lines.push(cut(line, width));
  return lines;
}

function cellsOf(segment: string): number {
  return WIDE.test(segment) ? 2 : 1;
}
