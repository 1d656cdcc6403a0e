import { createRequire } from 'node:module';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { SluiceError } from '../../../runtime/index.js';
import type { RtuDeviceConfig } from '../modbus/config.js';
import type { SerialLine } from './rtu-config.js';

/** What is used of the package `serialport`, which comes with modbus-serial where its binding can be had. */
interface SerialPortPackage {
  readonly SerialPort: new (options: {
    readonly path: string;
    readonly baudRate: number;
    readonly parity: string;
    readonly dataBits: number;
    readonly stopBits: number;
    readonly autoOpen: false;
  }) => SerialPort;
}

type SerialPort = Duplex & {
  readonly isOpen: boolean;
  open(done: (error: Error | null) => void): void;
  close(done: (error: Error | null) => void): void;
};

/** A way to devices that is open. Its `stream` emits `close` when it ends. */
export interface RtuStream {
  readonly stream: Duplex;
  readonly isOpen: boolean;
  /** Done when the system has it back. */
  close(): Promise<void>;
}

/** Opens the way to the devices. Errors of the system come as they are. */
export function openRtuStream(device: RtuDeviceConfig, connectMs: number): Promise<RtuStream> {
  return device.serial === undefined
    ? openTcp(device.host, device.port, connectMs)
    : openSerial(device.serial);
}

function openTcp(host: string, port: number, connectMs: number): Promise<RtuStream> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    const timer = setTimeout(
      () => socket.destroy(new Error(`no connection within ${connectMs} ms`)),
      connectMs,
    );
    socket.once('error', reject);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', reject);
      resolve({
        stream: socket,
        get isOpen() {
          return !socket.destroyed;
        },
        close: () => closeSocket(socket),
      });
    });
    socket.once('close', () => clearTimeout(timer));
  });
}

function openSerial({ path, baud: baudRate, parity, dataBits, stopBits }: SerialLine): Promise<RtuStream> {
  const { SerialPort } = loadBinding();
  return new Promise((resolve, reject) => {
    const port = new SerialPort({ path, baudRate, parity, dataBits, stopBits, autoOpen: false });
    port.open(error => {
      if (error !== null && error !== undefined) return reject(error);
      resolve({
        stream: port,
        get isOpen() {
          return port.isOpen;
        },
        close: () => new Promise(done => (port.isOpen ? port.close(() => done()) : done())),
      });
    });
  });
}

function closeSocket(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve();
  return new Promise(resolve => {
    socket.once('close', () => resolve());
    socket.destroy();
  });
}

/** Only here, so that a gateway without serial lines needs no binding. */
function loadBinding(): SerialPortPackage {
  const require = createRequire(import.meta.url);
  try {
    return createRequire(require.resolve('modbus-serial'))('serialport') as SerialPortPackage;
  } catch (thrown) {
    throw new SluiceError(
      'SLUICE_SOURCE_DISCONNECTED',
      `the package serialport cannot be loaded, so there are no serial lines here: ${(thrown as Error).message}`,
      { cause: thrown },
    );
  }
}
