import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import type { Origins } from './origins.js';
import type { Path } from './problem.js';

/** Deeper than any real configuration; also what ends an alias that contains itself. */
const DEEPEST = 32;
/** Values after aliases are written out: the ceiling for "billion laughs" files. */
const MOST_VALUES = 100_000;

/** What the parser says of a { or [ without its end, and of lines in it that do not stand to the right of its key. */
const OPEN = /^Flow (map|sequence) in block collection/;

/**
 * Reads YAML into plain values (null, boolean, number, string, array, object) and notes in `origins` where
 * each stands. Never throws: what is wrong is added to `origins.problems`.
 */
export function readYaml(text: string, origins: Origins): unknown {
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  let document: ReturnType<typeof parseDocument>;
  try {
    document = parseDocument(text, { prettyErrors: false, lineCounter: lines, logLevel: 'error' });
  } catch (thrown) {
    // The parser recurses: very deep nesting ends its stack.
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    origins.errorAt({ line: 1, column: 1 }, 'SLUICE_CONFIG_SYNTAX', `cannot be read as YAML: ${why}`);
    return undefined;
  }
  // Behind a bracket that is not closed all else is read as something that it is not.
  const open = document.errors.findIndex(({ message }) => OPEN.test(message));
  const errors = open < 0 ? document.errors : document.errors.slice(0, open + 1);
  for (const error of [...errors, ...document.warnings]) {
    origins.errorAt(at(error.pos[0]), 'SLUICE_CONFIG_SYNTAX', plainWords(error.code, error.message));
  }
  if (document.errors.length > 0) return undefined;
  return new Reader(origins, at).read(document.contents, [], undefined);
}

function plainWords(code: string, message: string): string {
  if (code === 'TAB_AS_INDENT') return 'a tab cannot indent YAML; use spaces';
  if (code === 'DUPLICATE_KEY') return 'this key stands here twice';
  if (code === 'MULTIPLE_DOCS')
    return 'a second document begins here (---); one file holds one configuration';
  if (code === 'BLOCK_AS_IMPLICIT_KEY')
    return 'a second "key: value" begins in this line; it has a line of its own, and a value with ": " in it is put in quotes';
  if (code === 'MULTILINE_IMPLICIT_KEY')
    return 'a key goes over several lines here: a ":" is missing, or it is not indented as the lines beside it';
  const [, kind] = OPEN.exec(message) ?? [];
  if (kind !== undefined) {
    const [begin, end] = kind === 'map' ? '{}' : '[]';
    return `a ${begin} before this is not closed by ${end} yet, or this line has to be indented more than the key above`;
  }
  if (/call stack/i.test(message)) return 'nested too deep';
  return message.replace(/\s+/g, ' ').replace(/[.:]?\s*$/, '');
}

type Place = { line: number; column: number };

class Reader {
  readonly #origins: Origins;
  readonly #at: (offset: number) => Place;
  readonly #anchors = new Map<string, Node>();
  /** An alias means the anchor that stood before it; decided once, when it is first met. */
  readonly #targets = new WeakMap<Node, Node>();
  #values = 0;

  constructor(origins: Origins, at: (offset: number) => Place) {
    this.#origins = origins;
    this.#at = at;
  }

  read(node: unknown, path: Path, alias: Place | undefined): unknown {
    const place = alias ?? this.#place(node);
    if (place !== undefined) this.#origins.value(path, place);
    if (++this.#values > MOST_VALUES || path.length > DEEPEST) {
      this.#tooMuch(path);
      return undefined;
    }
    if (node === null || node === undefined) return null;
    if (isAlias(node)) return this.#follow(node, path, place);
    this.#remember(node);
    if (isMap(node)) return this.#map(node.items, path, alias);
    if (isSeq(node)) return node.items.map((item, index) => this.read(item, [...path, index], alias));
    if (isScalar(node)) return this.#scalar(node.value, path);
    this.#refuse(path, 'is no plain YAML value');
    return undefined;
  }

  #follow(node: Node & { source: string }, path: Path, place: Place | undefined): unknown {
    const target = this.#targets.get(node) ?? this.#anchors.get(node.source);
    if (target === undefined) {
      this.#refuse(path, `the alias *${node.source} has no anchor &${node.source} before it`);
      return undefined;
    }
    this.#targets.set(node, target);
    return this.read(target, path, place);
  }

  #remember(node: unknown): void {
    const anchor = (node as { anchor?: string }).anchor;
    if (anchor !== undefined) this.#anchors.set(anchor, node as Node);
  }

  #map(pairs: readonly Pair[], path: Path, alias: Place | undefined): Record<string, unknown> {
    // No prototype: a key such as __proto__ is a key like any other.
    const map = Object.create(null) as Record<string, unknown>;
    for (const pair of pairs) {
      const key = this.#key(pair.key);
      if (key === undefined) {
        this.#refuse(path, 'a key has to be plain text');
        continue;
      }
      const here = [...path, key];
      const place = alias ?? this.#place(pair.key);
      if (place !== undefined) this.#origins.key(here, place);
      map[key] = this.read(pair.value, here, alias);
    }
    return map;
  }

  #key(node: unknown): string | undefined {
    if (!isScalar(node)) return undefined;
    this.#remember(node);
    const { value } = node;
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : undefined;
  }

  #scalar(value: unknown, path: Path): unknown {
    if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    this.#refuse(path, typeof value === 'number' ? 'is not a finite number' : 'is no plain YAML value');
    return undefined;
  }

  #place(node: unknown): Place | undefined {
    const range = (node as { range?: readonly number[] | null } | null)?.range;
    return range?.[0] === undefined ? undefined : this.#at(range[0]);
  }

  #refuse(path: Path, text: string): void {
    this.#origins.error(path, text, { code: 'SLUICE_CONFIG_SYNTAX' });
  }

  /** Said once: each of thousands of values behind an alias would say it again. */
  #tooMuch(path: Path): void {
    if (this.#values < Number.MAX_SAFE_INTEGER) {
      const why =
        this.#values > MOST_VALUES
          ? `more than ${MOST_VALUES} values, aliases written out`
          : 'nested too deep';
      this.#refuse(path.slice(0, 3), why);
    }
    this.#values = Number.MAX_SAFE_INTEGER;
  }
}
