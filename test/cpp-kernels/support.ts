import { DirectRunner, loadStage } from '../support/chain/direct-runner.js';

/** The two builds of one source. */
export const BUILDS = ['plugins/rms.wasm', 'plugins/rms-scalar.wasm'] as const;

export interface Block {
  readonly topic?: string;
  readonly payload: Uint8Array;
}

/** What `rms` makes of blocks: for each the bits of its results, or its fault. */
export async function rms(
  build: string,
  config: unknown,
  blocks: readonly Block[],
): Promise<(Uint32Array | string)[]> {
  const runner = new DirectRunner([await loadStage(build, config)]);
  const frames = blocks.map(({ topic = 'line1/1/3/0-3', payload }) => ({
    source: 'line1',
    topic,
    timestamp: '1700000000000000000',
    payload: Buffer.from(payload).toString('hex'),
    properties: [],
  }));
  return runner.run(frames).map(outcome => {
    if ('fault' in outcome) return `${outcome.fault.code}: ${outcome.fault.text}`;
    const bytes = Buffer.from(outcome.messages.map(message => message.payload).join(''), 'hex');
    return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(i * 4));
  });
}

export function floatsOf(bits: Uint32Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits).buffer);
}

export function bytesOf(samples: Float32Array): Uint8Array {
  return new Uint8Array(samples.slice().buffer);
}

/** A Modbus TCP reply to function 3. */
export function replyOf(registers: readonly number[]): Buffer {
  const adu = Buffer.alloc(9 + registers.length * 2);
  adu.writeUInt16BE(3 + registers.length * 2, 4);
  adu.set([1, 3, registers.length * 2], 6);
  registers.forEach((register, i) => {
    adu.writeUInt16BE(register & 0xffff, 9 + i * 2);
  });
  return adu;
}

/** The reference: every window in doubles, summed with compensation (Neumaier), so good to a few 2^-53. */
export function reference(samples: ArrayLike<number>, window: number, hop: number): number[] {
  const results: number[] = [];
  for (let first = 0; first + window <= samples.length; first += hop) {
    let sum = 0;
    let lost = 0;
    let infinite = false;
    for (let i = first; i < first + window; i++) {
      const square = (samples[i] as number) ** 2;
      infinite ||= square === Number.POSITIVE_INFINITY;
      const next = sum + square;
      lost += sum >= square ? sum - next + square : square - next + sum;
      sum = next;
    }
    const hasNaN = Array.prototype.slice.call(samples, first, first + window).some(Number.isNaN);
    results.push(
      hasNaN ? Number.NaN : infinite ? Number.POSITIVE_INFINITY : Math.sqrt((sum + lost) / window),
    );
  }
  return results;
}

/** The bound that cpp-kernels/include/sluice-kernels.h states. */
export function isWithinBound(result: number, exact: number): boolean {
  if (Number.isNaN(exact)) return Number.isNaN(result);
  if (exact === Number.POSITIVE_INFINITY) return result === exact;
  const most = exact >= 2 ** -126 ? exact * 2 ** -23.99 : 2 ** -150 * 1.01;
  return Math.abs(result - exact) <= most;
}
