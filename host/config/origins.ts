import type { ErrorCode } from '../../runtime/index.js';
import { type Path, type Problem, showPath } from './problem.js';

interface Place {
  readonly line: number;
  readonly column: number;
}

/** Most problems shown for one file; what is behind them is rarely news. */
const MOST_PROBLEMS = 100;

/** Where each value came from, and the list of what is wrong with them. */
export class Origins {
  readonly file: string;
  readonly problems: Problem[] = [];
  readonly #keys = new Map<string, Place>();
  readonly #values = new Map<string, Place>();
  readonly #variables = new Map<string, string>();
  readonly #secrets = new Set<string>();

  constructor(file: string) {
    this.file = file;
    this.#values.set('', { line: 1, column: 1 });
  }

  get failed(): boolean {
    return this.problems.some(problem => problem.severity === 'error');
  }

  /** True if something at `path` or below it cannot be used. */
  failedBelow(path: Path): boolean {
    const here = showPath(path);
    return this.problems.some(
      ({ severity, path: at }) =>
        severity === 'error' && at.startsWith(here) && ['', '.', '['].includes(at.charAt(here.length)),
    );
  }

  key(path: Path, place: Place): void {
    this.#keys.set(pointer(path), place);
  }

  value(path: Path, place: Place): void {
    this.#values.set(pointer(path), place);
  }

  /** The value at `path` (and all below it) came from this environment variable. */
  variable(path: Path, name: string): void {
    this.#variables.set(pointer(path), name);
  }

  /** The value at `path` holds a secret and is never printed. */
  secret(path: Path): void {
    this.#secrets.add(pointer(path));
  }

  isSecret(path: Path): boolean {
    return /password|key|token|secret/i.test(String(path.at(-1))) || this.#secrets.has(pointer(path));
  }

  error(path: Path, text: string, more: ProblemDetail = {}): void {
    this.#add('error', path, text, more);
  }

  warning(path: Path, text: string, more: ProblemDetail = {}): void {
    this.#add('warning', path, text, more);
  }

  /** A problem at a place of the text that has no path yet (syntax). */
  errorAt(place: Place, code: ErrorCode, text: string): void {
    if (this.problems.length >= MOST_PROBLEMS) return;
    this.problems.push({ code, severity: 'error', file: this.file, ...place, path: '', text });
  }

  #add(severity: Problem['severity'], path: Path, text: string, more: ProblemDetail): void {
    if (this.problems.length >= MOST_PROBLEMS) return;
    const shown = showPath(path);
    // What stands in for a secret that could not be read is wrong again, and of no interest.
    if (this.problems.some(known => known.code === 'SLUICE_CONFIG_SECRET' && known.path === shown)) return;
    this.problems.push({
      code: more.code ?? 'SLUICE_CONFIG_INVALID',
      severity,
      file: this.file,
      ...this.#locate(path, more.at ?? 'value'),
      path: shown,
      text,
      ...(more.suggestion === undefined ? {} : { suggestion: more.suggestion }),
    });
  }

  /** The place of `path`, or of the nearest thing around it that has one. */
  #locate(path: Path, part: 'key' | 'value'): { line?: number; column?: number; variable?: string } {
    for (let length = path.length; length >= 0; length--) {
      const here = pointer(path.slice(0, length));
      const variable = this.#variables.get(here);
      if (variable !== undefined) return { variable };
      const key = this.#keys.get(here);
      const value = this.#values.get(here);
      // Of something that is missing, the key of the map around it is the clearest place.
      const place = length === path.length && part === 'value' ? (value ?? key) : (key ?? value);
      if (place !== undefined) return { line: place.line, column: place.column };
    }
    return {};
  }
}

export interface ProblemDetail {
  readonly code?: ErrorCode;
  readonly suggestion?: string | undefined;
  /** Point at the key or at the value (default). */
  readonly at?: 'key' | 'value';
}

function pointer(path: Path): string {
  return path.map(part => String(part).replaceAll('~', '~0').replaceAll('/', '~1')).join('/');
}
