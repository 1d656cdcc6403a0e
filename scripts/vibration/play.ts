/**
 * `node dist/scripts/vibration/play.js`: publishes the recording of a pump, block by block as a sensor would send them,
 * or writes it into a file. See examples/vibration/README.md.
 */
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { connectAsync } from 'mqtt';
import { BLOCK_FRAMES, RATE, recording } from './recording.js';

const USAGE =
  'usage: play.js [--url mqtt://127.0.0.1:1883] [--topic vibration/pump1] [--seconds 20] [--fault 12] [--to FILE]';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      url: { type: 'string', default: 'mqtt://127.0.0.1:1883' },
      topic: { type: 'string', default: 'vibration/pump1' },
      seconds: { type: 'string', default: '20' },
      fault: { type: 'string', default: '12' },
      to: { type: 'string' },
    },
  });
  const [seconds, fault] = [Number(values.seconds), Number(values.fault)];
  if (!(seconds > 0) || Number.isNaN(fault))
    throw new TypeError('--seconds and --fault are numbers of seconds');
  const blocks = recording(seconds, fault);
  if (values.to === undefined) await publish(blocks, values.url, values.topic);
  else await pipeline(Readable.from(blocks), createWriteStream(values.to));
}

async function publish(blocks: Iterable<Buffer>, url: string, topic: string): Promise<void> {
  const client = await connectAsync(url);
  const began = performance.now();
  let sent = 0;
  for (const block of blocks) {
    const due = (++sent * BLOCK_FRAMES * 1000) / RATE;
    await sleep(Math.max(0, began + due - performance.now()));
    await client.publishAsync(topic, block, { qos: 1 });
  }
  await client.endAsync();
  process.stdout.write(`${sent} blocks published to ${topic}\n`);
}

try {
  await main();
} catch (thrown) {
  process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n${USAGE}\n`);
  process.exitCode = 1;
}
