import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Program } from '../../peers/program.js';
import { unusedPort } from '../../support/devices/plc.js';
import { convert } from '../gateway/convert.js';
import { flowOf, prepareNodeRed } from '../gateway/node-red.js';
import { type Kind, prepareGateway } from '../gateway/subjects.js';
import type { SendTask } from './load.js';

export interface Subject {
  readonly program: Program;
  readonly port: number;
  /** What it speaks: only ours speak the tunnel, which costs them a check and an acknowledgement. */
  readonly framing: SendTask['framing'];
}

/** Each with the same work: frames with topic and payload over a socket to `out/<topic>`. */
export async function startSocketSubject(kind: Kind, folder: string, broker: number): Promise<Subject> {
  const port = await unusedPort();
  const own = join(folder, `socket-${kind}`);
  await mkdir(own);
  const program = new Program(process.execPath, await argumentsOf(kind, own, broker, port));
  await program.said(READY[kind]);
  return { program, port, framing: kind === 'sluice' || kind === 'best' ? 'tunnel' : 'prefix' };
}

const READY: Readonly<Record<Kind, RegExp>> = {
  sluice: /sluice runs/,
  nodeRed: /Connected to broker/,
  usual: /ready/,
  best: /ready/,
};

async function argumentsOf(kind: Kind, folder: string, broker: number, port: number): Promise<string[]> {
  switch (kind) {
    case 'sluice': {
      // A slab is acknowledged as one: a window that is as large as what is kept on its way would be overrun.
      const source = { tunnel: { host: '127.0.0.1', port, window: 8192 } };
      return prepareGateway(folder, broker, { plugin: 'modbus-json', source, prefix: 'out/' });
    }
    case 'nodeRed':
      return prepareNodeRed(folder, tcpFlow(broker, port));
    default:
      return [fileURLToPath(new URL(`./bare-${kind}.js`, import.meta.url)), `${broker}`, `${port}`];
  }
}

/** tcp in, function, mqtt out. All frames of a chunk leave the function node together, its cheapest way. */
function tcpFlow(broker: number, port: number): object[] {
  const input = {
    type: 'tcp in',
    server: 'server',
    host: '',
    port: String(port),
    datamode: 'stream',
    datatype: 'buffer',
    newline: '',
    topic: '',
    trim: false,
    base64: false,
    tls: '',
  };
  const func = `${convert.toString()}
const before = context.get('rest');
const bytes = before === undefined ? msg.payload : Buffer.concat([before, msg.payload]);
const out = [];
let at = 0;
while (at + 4 <= bytes.length) {
  const end = at + 4 + bytes.readUInt32BE(at);
  if (end > bytes.length) break;
  const body = at + 6 + bytes.readUInt16BE(at + 4);
  const topic = bytes.toString('utf8', at + 6, body);
  out.push({ topic: 'out/' + topic, payload: convert(bytes.subarray(body, end), topic) });
  at = end;
}
context.set('rest', at === bytes.length ? undefined : bytes.subarray(at));
return [out];`;
  return flowOf(broker, input, func);
}
