import { createRequire } from 'node:module';
import type { AddressInfo, Server as TcpServer } from 'node:net';
import type { ServerTCP as Server } from 'modbus-serial';
import { type DemoDevice, objectIn, type Reading } from './demo-device.js';
import { inWords, isPoint } from './points.js';
import { SentLog } from './sent-log.js';

// The package is CommonJS and exports its server as a property.
const { ServerTCP } = createRequire(import.meta.url)('modbus-serial') as { ServerTCP: typeof Server };

export interface DemoPlc extends DemoDevice {
  readonly port: number;
  /** Replies given so far. */
  readonly replies: number;
}

/**
 * A simulated PLC on real Modbus TCP (modbus-serial). Every reply carries a sequence number of its unit
 * in registers 0 and 1, so that loss and repeats can be counted from the data; then come a temperature
 * (tenths of a degree), a pressure (hundredths of a bar) and a speed.
 * @param line first level of its topics; the unit is the second
 */
export async function startPlc(line: string, units: readonly number[]): Promise<DemoPlc> {
  const sent = new SentLog();
  const server = new ServerTCP(
    {
      getMultipleHoldingRegisters(first: number, length: number, unit: number): number[] {
        const sequence = sent.next(`${line}/${unit}`);
        const all = [sequence >>> 16, sequence & 0xffff, ...measurements(sequence, unit)];
        return Array.from({ length }, (_, index) => all[first + index] ?? 0);
      },
    },
    // A number 0 means 502 to modbus-serial; the text reaches the system, which chooses a free port.
    { host: '127.0.0.1', port: '0' as unknown as number, debug: false, unitID: 255 },
  );
  // modbus-serial leaves Nagle's algorithm on: pipelined replies would wait 40 ms for each other.
  innerOf(server).on('connection', socket => socket.setNoDelay(true));
  const port = await new Promise<number>((resolve, reject) => {
    server.on('initialized', () => resolve((innerOf(server).address() as AddressInfo).port));
    server.on('serverError', reject);
  });
  return {
    port,
    rows: units.map(unit => `${line}/${unit}`),
    sent,
    get replies() {
      return sent.total;
    },
    read: readingOf,
    stop: () => new Promise(resolve => server.close(() => resolve())),
  };
}

/** What `modbus-json` makes of a reply. */
function readingOf(message: string): Reading | undefined {
  const points = objectIn(message)?.points;
  if (!Array.isArray(points) || !points.every(isPoint)) return undefined;
  const sequence = points.find(({ name }) => name === 'sequence')?.value;
  return typeof sequence === 'number' ? { sequence, words: inWords(points) } : undefined;
}

function measurements(sequence: number, unit: number): number[] {
  const turn = sequence / 20 + unit;
  const temperature = Math.round(200 + 35 * Math.sin(turn));
  const pressure = Math.round(600 + 40 * Math.cos(turn / 3));
  const speed = 1450 + Math.round(30 * Math.sin(turn * 2));
  return [temperature & 0xffff, pressure, speed, 0, 0, 0, 0, 0, 0, 0];
}

/** The listener itself, which modbus-serial keeps in a private field. */
function innerOf(server: Server): TcpServer {
  return (server as unknown as { _server: TcpServer })._server;
}
