import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { convert } from './convert.js';

/** Nothing listens, nothing is sent home, only warnings are printed. */
const SETTINGS = `module.exports = {
  httpAdminRoot: false, httpNodeRoot: false, disableEditor: true,
  telemetry: { enabled: false },
  externalModules: { autoInstall: false, palette: { allowInstall: false }, modules: { allowInstall: false } },
  logging: { console: { level: 'info' } },
};\n`;

const BROKER = 'broker';

/** A flow: what comes in, a function node of this text, mqtt out. */
export function flowOf(port: number, input: Readonly<Record<string, unknown>>, func: string): object[] {
  return [
    { id: 'tab', type: 'tab', label: 'bench' },
    {
      id: BROKER,
      type: 'mqtt-broker',
      name: '',
      broker: '127.0.0.1',
      port: String(port),
      clientid: '',
      autoConnect: true,
      usetls: false,
      protocolVersion: '4',
      keepalive: '60',
      cleansession: true,
    },
    { id: 'in', z: 'tab', inputs: 0, wires: [['convert']], ...input },
    { id: 'convert', type: 'function', z: 'tab', func, outputs: 1, timeout: 0, libs: [], wires: [['out']] },
    {
      id: 'out',
      type: 'mqtt out',
      z: 'tab',
      topic: '',
      qos: '0',
      retain: 'false',
      broker: BROKER,
      wires: [],
    },
  ];
}

/** mqtt in, function, mqtt out. */
export function mqttFlow(port: number, name: string): object[] {
  const input = {
    type: 'mqtt in',
    topic: `in/${name}/#`,
    qos: '0',
    datatype: 'buffer',
    broker: BROKER,
    nl: false,
    rap: true,
    rh: 0,
  };
  const func = `${convert.toString()}
msg.payload = convert(msg.payload, msg.topic);
msg.topic = 'out/' + msg.topic;
return msg;`;
  return flowOf(port, input, func);
}

/**
 * Writes user folder, settings and flow. @returns arguments for node
 * @throws Error Node-RED is not installed
 */
export async function prepareNodeRed(folder: string, flow: readonly object[]): Promise<string[]> {
  const peers = createRequire(new URL('../../../../test/bench/peers/package.json', import.meta.url));
  let root: string;
  try {
    root = dirname(peers.resolve('node-red/package.json'));
  } catch (thrown) {
    throw new Error('Node-RED is not installed: npm run bench:peers', { cause: thrown });
  }
  const user = join(folder, 'node-red');
  await mkdir(user);
  await writeFile(join(user, 'settings.js'), SETTINGS);
  await writeFile(join(user, 'flows.json'), JSON.stringify(flow));
  return [join(root, 'red.js'), '--userDir', user, join(user, 'flows.json')];
}
