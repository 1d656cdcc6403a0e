import type { Socket } from 'node:dgram';
import { createServer, type Server } from 'coap';
import { type DemoDevice, objectIn, type Reading } from './demo-device.js';
import { SentLog } from './sent-log.js';

export interface DemoPump extends DemoDevice {
  readonly port: number;
}

/** Samples of a block and channel: two channels of floats fill one CoAP message without further blocks (RFC 7959, 2.2). */
export const BLOCK = 128;
/** A second; of each channel. */
export const RATE = 1280;
const CHANNELS = 2;
/** How often a block is read, milliseconds. */
export const EVERY_MS = (BLOCK / RATE) * 1000;
/** What the features of a block are: root mean square, peak and least of the first channel, then of the second. */
export const FEATURES = ['rms', 'peak', 'least'] as const;
/** Least of the counter. */
const SEQUENCE_AT = 5;
/** Option Content-Format: application/octet-stream. */
const OCTETS = 'application/octet-stream';

/**
 * A simulated vibration sensor on real CoAP (npm coap): each GET gives the next block of samples, two interleaved channels
 * of 32-bit floats. The first is a shaft at 25 Hz with a ripple that swells and fades, in g; the second is, as on many
 * measuring devices, a counter of blocks, by which loss and repeats can be counted from what comes out.
 * @param row first two levels of its topic
 */
export async function startPump(row: string): Promise<DemoPump> {
  const sent = new SentLog();
  const server = createServer((_, response) => {
    response.setOption('Content-Format', OCTETS);
    response.end(blockOf(sent.next(row)));
  });
  const port = await listen(server);
  return {
    port,
    rows: [row],
    sent,
    read: readingOf,
    stop: () => new Promise(resolve => server.close(() => resolve())),
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.listen(0, '127.0.0.1', (error?: Error | null) => {
      if (error) reject(error);
      else resolve((server._sock as Socket).address().port);
    });
  });
}

function blockOf(sequence: number): Buffer {
  const block = Buffer.allocUnsafe(BLOCK * CHANNELS * 4);
  const swell = 0.15 * (1 + Math.sin(sequence / 15));
  for (let i = 0; i < BLOCK; i++) {
    const seconds = (sequence * BLOCK + i) / RATE;
    const shaft = Math.sin(2 * Math.PI * 25 * seconds);
    const ripple = swell * Math.sin(2 * Math.PI * 310 * seconds);
    block.writeFloatLE(0.5 * shaft + ripple, i * 8);
    block.writeFloatLE(sequence, i * 8 + 4);
  }
  return block;
}

/** What `features` and `block-json` make of a block. */
function readingOf(message: string): Reading | undefined {
  const values = objectIn(message)?.values;
  if (!Array.isArray(values) || !values.every(value => typeof value === 'number')) return undefined;
  const [rms, peak] = values;
  const sequence = values[SEQUENCE_AT];
  if (rms === undefined || peak === undefined || sequence === undefined) return undefined;
  const words = `sequence ${sequence}  rms ${rms.toFixed(2)} g  peak ${peak.toFixed(2)} g`;
  return { sequence, words };
}
