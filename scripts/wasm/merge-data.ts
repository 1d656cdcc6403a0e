/**
 * Joins the data segments of a module that lie close together: each costs five bytes and more beside its content, and
 * a compiler makes one for every constant. Source: WebAssembly core specification, 5.5.14 (data), 5.5.16 (data count).
 */
import { readSections } from '../../runtime/index.js';

interface Segment {
  readonly at: number;
  readonly bytes: Uint8Array;
}

const DATA = 11;
const DATA_COUNT = 12;
const I32_CONST = 0x41;
const END = 0x0b;
/** Zeros that cost less than a segment of its own. Memory that no segment fills is zero (4.5.4). */
const GAP = 6;

/** The same module; untouched if it has segments that are no plain data at a constant address. */
export function mergeData(bytes: Uint8Array): Uint8Array {
  const sections = readSections(bytes);
  const data = sections.find(({ id }) => id === DATA);
  const segments = data && readSegments(bytes.subarray(data.start, data.end));
  if (segments === undefined) return bytes;
  const joined = join(segments);
  const parts = sections.map(({ id, offset, end }) => {
    if (id === DATA_COUNT) return section(id, unsigned(joined.length));
    return id === DATA ? section(id, written(joined)) : bytes.subarray(offset, end);
  });
  return concat([bytes.subarray(0, 8), ...parts]);
}

function join(segments: readonly Segment[]): Segment[] {
  const joined: Segment[] = [];
  for (const next of segments.toSorted((one, other) => one.at - other.at)) {
    const last = joined.at(-1);
    const gap = last === undefined ? -1 : next.at - last.at - last.bytes.length;
    // Data over data (gap below zero) counts in the order of the file: left as it is.
    if (gap < 0 && last !== undefined) return [...segments];
    if (last === undefined || gap > GAP) joined.push(next);
    else
      joined[joined.length - 1] = {
        at: last.at,
        bytes: concat([last.bytes, new Uint8Array(gap), next.bytes]),
      };
  }
  return joined;
}

/** Undefined if one of them is passive, of another memory, or at an address that is not a constant. */
function readSegments(section: Uint8Array): Segment[] | undefined {
  let at = 0;
  const number = (signed: boolean): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = section[at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte >= 0x80) continue;
      return signed && byte & 0x40 && shift < 25 ? value | (-1 << (shift + 7)) : value;
    }
  };
  const segments: Segment[] = [];
  for (let left = number(false); left > 0; left--) {
    if (section[at++] !== 0 || section[at++] !== I32_CONST) return undefined;
    const address = number(true) >>> 0;
    if (section[at++] !== END) return undefined;
    const length = number(false);
    segments.push({ at: address, bytes: section.subarray(at, at + length) });
    at += length;
  }
  return segments;
}

function written(segments: readonly Segment[]): Uint8Array {
  const each = segments.map(({ at, bytes }) =>
    concat([Uint8Array.of(0, I32_CONST), signed(at | 0), Uint8Array.of(END), unsigned(bytes.length), bytes]),
  );
  return concat([unsigned(segments.length), ...each]);
}

function section(id: number, content: Uint8Array): Uint8Array {
  return concat([Uint8Array.of(id), unsigned(content.length), content]);
}

function unsigned(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return Uint8Array.of(...bytes, value);
}

function signed(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value < -0x40 || value > 0x3f; value >>= 7) bytes.push((value & 0x7f) | 0x80);
  return Uint8Array.of(...bytes, value & 0x7f);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
