import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { faultOf } from '../../runtime/index.js';
import type { ReconnectConfig } from './config.js';
import type { Origins, ProblemDetail } from './origins.js';
import type { Path } from './problem.js';
import { parseDuration, parseSize } from './units.js';

interface Bounds {
  readonly least?: number;
  readonly most?: number;
}

/** setTimeout's largest value, 24.8 days. */
const LONGEST_MS = 2 ** 31 - 1;

/** Turns the text forms of the schema into numbers and says at which place one cannot be used. */
export class Reader {
  readonly #origins: Origins;
  readonly #folder: string;

  constructor(origins: Origins, folder: string) {
    this.#origins = origins;
    this.#folder = folder;
  }

  error(path: Path, text: string, detail?: ProblemDetail): void {
    this.#origins.error(path, text, detail);
  }

  warning(path: Path, text: string, detail?: ProblemDetail): void {
    this.#origins.warning(path, text, detail);
  }

  /** Milliseconds. */
  duration(
    text: string | undefined,
    path: Path,
    { least = 0, most = LONGEST_MS }: Bounds = {},
  ): number | undefined {
    if (text === undefined) return undefined;
    const value = parseDuration(text);
    if (value !== undefined && value >= least && value <= most) return value;
    this.error(path, `"${text}" is not between ${least}ms and ${most}ms`);
    return undefined;
  }

  /** Bytes. */
  size(text: string | undefined, path: Path, { least = 1, most = 2 ** 50 }: Bounds = {}): number | undefined {
    if (text === undefined) return undefined;
    const value = parseSize(text);
    if (value !== undefined && value >= least && value <= most) return value;
    this.error(path, `"${text}" is not between ${showSize(least)} and ${showSize(most)}`);
    return undefined;
  }

  /** An absolute file name. */
  file(name: string): string {
    return resolve(this.#folder, name);
  }

  /** The text of a PEM file, or the value itself if it is PEM text (`${file:...}`). */
  pem(value: string | undefined, path: Path): string | undefined {
    if (value === undefined || isPemText(value)) return value;
    try {
      return readFileSync(this.file(value), 'utf8');
    } catch (thrown) {
      const { code } = thrown as { code?: unknown };
      this.#origins.error(path, `the file cannot be read (${code})`, { code: 'SLUICE_CONFIG_SECRET' });
      return undefined;
    }
  }

  /** What `parse` gives; what it throws is reported at `path`. */
  attempt<T>(path: Path, parse: () => T): T | undefined {
    try {
      return parse();
    } catch (thrown) {
      this.error(path, faultOf(thrown).message);
      return undefined;
    }
  }

  reconnect(input: { min?: string; max?: string } | undefined, path: Path): ReconnectConfig | undefined {
    if (input === undefined) return undefined;
    const minMs = this.duration(input.min, [...path, 'min'], { least: 1 });
    const maxMs = this.duration(input.max, [...path, 'max'], { least: 1 });
    const pauses = {
      minMs: minMs ?? Math.min(500, maxMs ?? 500),
      maxMs: maxMs ?? Math.max(30_000, minMs ?? 0),
    };
    if (pauses.minMs > pauses.maxMs) this.error([...path, 'min'], 'is longer than max');
    return pauses;
  }
}

/** PEM, and not the name of a file with it. */
export function isPemText(value: string): boolean {
  return value.startsWith('-----BEGIN ');
}

function showSize(bytes: number): string {
  for (const [unit, size] of [
    ['TiB', 2 ** 40],
    ['GiB', 2 ** 30],
    ['MiB', 2 ** 20],
    ['KiB', 2 ** 10],
  ] as const) {
    if (bytes >= size) return `${Math.round(bytes / size)}${unit}`;
  }
  return `${bytes}B`;
}
