import type { ModbusRTU } from 'modbus-serial/ModbusRTU.js';
import { backOff } from '../modbus/back-off.js';
import type { LinkSettings, RtuDeviceConfig } from '../modbus/config.js';
import type { Request } from '../modbus/request.js';
import type { SourcePeer } from '../source.js';
import { RtuPort } from './rtu-port.js';
import { openRtuStream, type RtuStream } from './rtu-stream.js';

const LEAST_CONNECT_MS = 3_000;

/** How a request ended: its data, an exception of the device, or neither in time. */
export type Answer =
  | { readonly data: Uint8Array }
  | { readonly exception: number }
  | { readonly failure: 'timeout' | 'protocol'; readonly why: string };

export interface RtuLinkEvents {
  up(): void;
  /** The way to the devices could not be opened, or ended. The link waits for `retry`. */
  down(why: string): void;
}

/** One line with its devices, opened again and again, on which modbus-serial asks. */
export class RtuLink {
  readonly #device: RtuDeviceConfig;
  readonly #settings: LinkSettings;
  readonly #events: RtuLinkEvents;
  #state: SourcePeer['state'] = 'waiting';
  #stream: RtuStream | undefined;
  #port: RtuPort | undefined;
  #client: ModbusRTU | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** When the time of what was asked is over; and then the last look at what has come. */
  #due: NodeJS.Timeout | undefined;
  #look: NodeJS.Immediate | undefined;
  #attempt = 0;
  /** The attempt to open that is under way; a stop waits for it. */
  #opening: Promise<void> = Promise.resolve();

  constructor(device: RtuDeviceConfig, settings: LinkSettings, events: RtuLinkEvents) {
    this.#device = device;
    this.#settings = settings;
    this.#events = events;
  }

  get state(): SourcePeer['state'] {
    return this.#state;
  }

  open(): void {
    this.#state = 'connecting';
    this.#opening = this.#open();
  }

  /** The device has proved to be well: the next back-off starts at its shortest. */
  settled(): void {
    this.#attempt = 0;
  }

  /** Asks once; `done` is called unless the line is closed before. Only while connected. */
  ask({ unit, code, first, count }: Request, done: (answer: Answer) => void): void {
    const client = this.#client;
    const port = this.#port;
    if (client === undefined || port === undefined) return;
    let isOver = false;
    const end = (answer: Answer): void => {
      // It may also come after its time.
      if (isOver || client !== this.#client) return;
      isOver = true;
      this.#unwatch();
      done(answer);
    };
    const next = (error: unknown, result?: { readonly buffer: Uint8Array }): void =>
      end(answerOf(error, result));
    this.#due = setTimeout(() => {
      // If our own loop was late, the answer may lie in the socket: let it be read before judging.
      this.#look = setImmediate(() => end(silence(port.stray)));
    }, this.#settings.timeoutMs);
    if (code === 1) client.writeFC1(unit, first, count, next);
    else if (code === 2) client.writeFC2(unit, first, count, next);
    else if (code === 3) client.writeFC3(unit, first, count, next);
    else client.writeFC4(unit, first, count, next);
  }

  /** Closes without `down`, and opens again after the back-off. */
  reopen(): number {
    void this.#detach();
    return this.retry();
  }

  /** Opens again after the back-off; gives its milliseconds. */
  retry(): number {
    this.#state = 'waiting';
    const wait = backOff(this.#attempt, this.#settings.minMs, this.#settings.maxMs);
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.open(), wait);
    return wait;
  }

  /** Closes for good; done when the system has the line back. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    clearTimeout(this.#timer);
    await this.#detach();
    await this.#opening;
  }

  async #open(): Promise<void> {
    let stream: RtuStream;
    try {
      stream = await openRtuStream(this.#device, Math.max(this.#settings.timeoutMs, LEAST_CONNECT_MS));
    } catch (thrown) {
      if (this.#state === 'connecting') this.#events.down(reasonOf(thrown));
      return;
    }
    let why = 'the line was closed';
    stream.stream.on('error', (error: Error) => {
      why = reasonOf(error);
    });
    const { default: all } = (await import('modbus-serial')) as unknown as {
      default: { default: new (port: RtuPort) => ModbusRTU };
    };
    if (this.#state !== 'connecting') return stream.close();
    if (!stream.isOpen) return this.#events.down(why);
    const port = new RtuPort(stream);
    const client = new all.default(port);
    client.open(() => {});
    this.#stream = stream;
    this.#port = port;
    this.#client = client;
    stream.stream.once('close', () => {
      if (stream !== this.#stream) return;
      void this.#detach();
      this.#state = 'waiting';
      this.#events.down(why);
    });
    this.#state = 'connected';
    this.#events.up();
  }

  #unwatch(): void {
    clearTimeout(this.#due);
    if (this.#look !== undefined) clearImmediate(this.#look);
  }

  #detach(): Promise<void> {
    clearTimeout(this.#timer);
    this.#unwatch();
    this.#client?.destroy(() => {});
    const stream = this.#stream;
    this.#client = undefined;
    this.#port = undefined;
    this.#stream = undefined;
    return stream === undefined ? Promise.resolve() : stream.close();
  }
}

function answerOf(error: unknown, result: { buffer: Uint8Array } | undefined): Answer {
  if (result !== undefined && (error === null || error === undefined)) return { data: result.buffer };
  const { modbusCode, message } = error as { modbusCode?: number; message?: string };
  if (modbusCode !== undefined) return { exception: modbusCode };
  return { failure: 'protocol', why: message ?? String(error) };
}

function silence(stray: number): Answer {
  return { failure: 'timeout', why: stray === 0 ? '' : ` (${stray} bytes came that are no answer to it)` };
}

function reasonOf(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException;
  return message || code || 'the connection failed';
}
