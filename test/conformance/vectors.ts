/**
 * What every build of the conformance converter has to give: the vectors of modbus-json, and large batches
 * whose outcome is reckoned here, apart from the guests. Used by the conformance test and the benchmarks.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Vector, VectorFault, VectorFrame, VectorMessage } from '../../runtime/vector.js';

const FOLDER = new URL('../../../plugins-wasm/modbus-json/', import.meta.url);

/** The builds that have to agree: language, way and file under dist/. */
export const CONFORMANCE_GUESTS = [
  { language: 'AssemblyScript', way: 'core module', file: 'plugins/modbus-json.wasm' },
  { language: 'C++', way: 'core module', file: 'test/guests/conformance-cpp.wasm' },
  { language: 'C', way: 'component', file: 'test/guests/conformance-component.wasm' },
] as const;

/** The line that `configure` logs at level info. */
export const CONFIGURE_LOG = 'no tags: each reply becomes one message';

/** A frame with nothing left out. */
export type FullFrame = Required<VectorFrame>;
/** A message with nothing left out; the payload is hex. */
export type FullMessage = Required<Omit<VectorMessage, 'text'>>;
export type Outcome = { readonly messages: readonly FullMessage[] } | { readonly fault: VectorFault };

export interface Expectation {
  readonly name: string;
  readonly config: unknown;
  readonly frame: FullFrame;
  readonly outcome: Outcome;
}

/** All vectors of modbus-json, those with tags too (AssemblyScript only). */
export function allVectors(): Expectation[] {
  const vectors = JSON.parse(readFileSync(new URL('vectors.json', FOLDER), 'utf8')) as readonly Vector[];
  return vectors.map(vector => {
    const frame = fullFrame(vector.frame);
    const outcome =
      vector.fault === undefined ? { messages: fullMessages(frame, vector) } : { fault: vector.fault };
    return { name: vector.name, config: vector.config ?? {}, frame, outcome };
  });
}

/** Those without configuration, which all builds have to meet. */
export function plainVectors(): Expectation[] {
  return allVectors().filter(({ config }) => Object.keys(config as object).length === 0);
}

/** Configurations that modbus-json has to refuse, with the text of the fault. */
export function refusedConfigurations(): { readonly config: unknown; readonly text: string }[] {
  return JSON.parse(readFileSync(new URL('refused.json', FOLDER), 'utf8')) as {
    config: unknown;
    text: string;
  }[];
}

/** `count` good replies of all four functions and all sizes, the same for the same seed. */
export function largeBatch(count: number, seed = 1): Expectation[] {
  const random = generator(seed);
  return Array.from({ length: count }, (_, i) => {
    const code = 1 + random(4);
    const bits = code < 3;
    const values = Array.from({ length: 1 + random(bits ? 2000 : 125) }, () => random(bits ? 2 : 65536));
    const unit = random(248);
    const first = random(65536 - values.length);
    const frame = fullFrame({
      source: 'line1',
      topic: `line1/${unit}/${code}/${first}-${first + values.length - 1}`,
      timestamp: String(1_700_000_000_000_000_000n + BigInt(i) * 1_000_003n),
      payload: reply(i & 0xffff, unit, code, values).toString('hex'),
      properties: Array.from({ length: random(3) }, (_unused, n): [string, string] => ['key', `${n}`]),
    });
    const text = `{"unit":${unit},"function":${code},"first":${first},"values":[${values.join(',')}]}`;
    const vector = { messages: [{ text, contentType: 'application/json' }] };
    return { name: `large ${i}`, config: {}, frame, outcome: { messages: fullMessages(frame, vector) } };
  });
}

/** The twelve-register reply that the benchmarks use. */
export function twelveRegisters(): FullFrame {
  const values = [100, 2, 65535, 4000, 500, 60, 7, 8000, 9, 10000, 11, 1200];
  return fullFrame({
    source: 'line1',
    topic: 'line1/1/3/0-11',
    payload: reply(7, 1, 3, values).toString('hex'),
  });
}

/** SHA-256 over outcomes, field by field with lengths, so that no two lists share one. */
export function outcomeHash(outcomes: readonly Outcome[]): string {
  const hash = createHash('sha256');
  const put = (text: string): void => {
    hash.update(`${Buffer.byteLength(text)}:${text};`);
  };
  for (const outcome of outcomes) {
    if ('fault' in outcome) {
      put('fault');
      put(outcome.fault.code);
      put(outcome.fault.text);
      continue;
    }
    put(`messages ${outcome.messages.length}`);
    for (const { topic, payload, timestamp, contentType, qos, retain, properties } of outcome.messages) {
      for (const field of [topic, payload, timestamp, contentType, `${qos}`, `${retain}`]) put(field);
      put(`properties ${properties.length}`);
      for (const part of properties.flat()) put(part);
    }
  }
  return hash.digest('hex');
}

function fullFrame(frame: VectorFrame): FullFrame {
  return { source: 'test', timestamp: '1700000000123456789', properties: [], ...frame };
}

function fullMessages(frame: FullFrame, vector: Pick<Vector, 'messages'>): FullMessage[] {
  return (vector.messages ?? []).map(({ text, ...message }) => ({
    topic: frame.topic,
    timestamp: frame.timestamp,
    properties: frame.properties,
    payload: text === undefined ? '' : Buffer.from(text).toString('hex'),
    contentType: '',
    qos: 1,
    retain: false,
    ...message,
  }));
}

/** A Modbus TCP reply with its header. */
function reply(transaction: number, unit: number, code: number, values: readonly number[]): Buffer {
  const bytes = code < 3 ? (values.length + 7) >> 3 : values.length * 2;
  const adu = Buffer.alloc(9 + bytes);
  adu.writeUInt16BE(transaction, 0);
  adu.writeUInt16BE(3 + bytes, 4);
  adu[6] = unit;
  adu[7] = code;
  adu[8] = bytes;
  values.forEach((value, i) => {
    if (code < 3) adu[9 + (i >> 3)]! |= value << (i & 7);
    else adu.writeUInt16BE(value, 9 + i * 2);
  });
  return adu;
}

/** mulberry32: small, and the same on every machine. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return below => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
