/** Modules written byte by byte, for what no compiler would write. */
const MAGIC = Buffer.from('0061736d01000000', 'hex');

/** An unsigned LEB128 in its shortest form, also of numbers beyond 32 bits. */
export function leb(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  do {
    out.push((rest % 128) | (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return out;
}

/** A section: its id, and its content in pieces. */
export type SectionParts = readonly [id: number, ...content: (readonly number[] | Uint8Array)[]];

/** A module of sections. */
export function moduleOf(...sections: readonly SectionParts[]): Buffer {
  // Joined once: some have 31 MB.
  const parts = sections.flatMap(([id, ...content]) => {
    const size = content.reduce((sum, { length }) => sum + length, 0);
    return [[id, ...leb(size)], ...content];
  });
  return Buffer.concat([
    MAGIC,
    ...parts.map(part => (part instanceof Uint8Array ? part : Uint8Array.from(part))),
  ]);
}

/** `pattern` as often as it fits into so many bytes. */
export function fill(pattern: readonly number[], bytes: number): { count: number; bytes: Buffer } {
  const count = Math.floor(bytes / pattern.length);
  return { count, bytes: Buffer.alloc(count * pattern.length, Uint8Array.from(pattern)) };
}

/** A module of one function without parameters and results: its body, locals first, without size. */
export function moduleOfBody(...body: (readonly number[] | Uint8Array)[]): Buffer {
  const size = body.reduce((sum, part) => sum + part.length, 0);
  return moduleOf([1, [1, 0x60, 0, 0]], [3, [1, 0]], [10, [1], leb(size), ...body]);
}
