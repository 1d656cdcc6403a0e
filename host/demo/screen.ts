/** What a screen needs of a terminal; standard output is one. */
export interface Terminal {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

const ALTERNATE = '\u001b[?1049h';
const NORMAL = '\u001b[?1049l';
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
/** Lines longer than the screen are cut by the terminal and not broken. */
const NO_WRAP = '\u001b[?7l';
const WRAP = '\u001b[?7h';
/** One frame is shown whole, on terminals that know this; others ignore it. */
const BEGIN = '\u001b[?2026h';
const END = '\u001b[?2026l';
const REST_OF_LINE = '\u001b[K';
const REST_OF_SCREEN = '\u001b[J';

/**
 * The alternate screen, drawn in place: only lines that have changed are written, all in one write, so
 * nothing flickers, and what was on the terminal before is there again after `leave`.
 */
export class Screen {
  readonly #terminal: Terminal;
  #shown: readonly string[] = [];
  #size = '';
  #open = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  get columns(): number {
    return this.#terminal.columns || 80;
  }

  get rows(): number {
    return this.#terminal.rows || 24;
  }

  enter(): void {
    this.#open = true;
    this.#shown = [];
    this.#terminal.write(ALTERNATE + HIDE_CURSOR + NO_WRAP);
  }

  /** Lines beyond the last row are left out. */
  draw(lines: readonly string[]): void {
    if (!this.#open) return;
    const size = `${this.columns}x${this.rows}`;
    // After a change of size the terminal may have moved anything.
    const known = size === this.#size ? this.#shown : [];
    const next = lines.slice(0, this.rows);
    let out = '';
    for (const [row, line] of next.entries()) {
      if (line !== known[row]) out += `${at(row)}${line}${REST_OF_LINE}`;
    }
    if (next.length < known.length || known.length === 0) {
      if (next.length < this.rows) out += at(next.length) + REST_OF_SCREEN;
    }
    this.#shown = next;
    this.#size = size;
    if (out !== '') this.#terminal.write(BEGIN + out + END);
  }

  /** Gives the terminal back as it was; may be called again. */
  leave(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#terminal.write(WRAP + SHOW_CURSOR + NORMAL);
  }
}

function at(row: number): string {
  return `\u001b[${row + 1};1H`;
}
