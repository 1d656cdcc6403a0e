import { createRequire } from 'node:module';
import type { AddressInfo, Server as TcpServer } from 'node:net';
import type { ServerTCP as Server } from 'modbus-serial';

// The package is CommonJS and exports its server as a property.
const { ServerTCP } = createRequire(import.meta.url)('modbus-serial') as { ServerTCP: typeof Server };

export interface DemoPlc {
  readonly port: number;
  /** Replies given so far. */
  readonly replies: number;
  /** Sequence of the last reply of a unit; 0: none yet. */
  sequenceOf(unit: number): number;
  /** When the reply with this sequence left, performance.now(); undefined if it never did. */
  sentAt(unit: number, sequence: number): number | undefined;
  stop(): Promise<void>;
}

/** Replies whose time is remembered, for each unit. */
const REMEMBERED = 4096;

/**
 * A simulated PLC on real Modbus TCP (modbus-serial). Every reply carries a sequence number of its unit
 * in registers 0 and 1, so that loss and repeats can be counted from the data; then come a temperature
 * (tenths of a degree), a pressure (hundredths of a bar) and a speed.
 */
export async function startPlc(units: readonly number[]): Promise<DemoPlc> {
  const sequences = new Map(units.map(unit => [unit, 0]));
  const times = new Map(units.map(unit => [unit, new Float64Array(REMEMBERED)]));
  let replies = 0;
  const server = new ServerTCP(
    {
      getMultipleHoldingRegisters(first: number, length: number, unit: number): number[] {
        const sequence = (sequences.get(unit) ?? 0) + 1;
        sequences.set(unit, sequence);
        replies++;
        (times.get(unit) ?? new Float64Array(REMEMBERED))[sequence % REMEMBERED] = performance.now();
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
    get replies() {
      return replies;
    },
    sequenceOf: unit => sequences.get(unit) ?? 0,
    sentAt: (unit, sequence) => times.get(unit)?.[sequence % REMEMBERED],
    stop: () => new Promise(resolve => server.close(() => resolve())),
  };
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
