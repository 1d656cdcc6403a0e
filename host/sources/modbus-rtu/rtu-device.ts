import { type Fault, Stamp } from '../../../runtime/index.js';
import { MBAP } from '../../protocols/mbap.js';
import { encodeAnswer, encodeException, readDataBytes } from '../../protocols/modbus-read.js';
import { deviceAddress, deviceLabel, type RtuDeviceConfig } from '../modbus/config.js';
import type { DeviceHost, PolledDevice } from '../modbus/device.js';
import { PollQueue } from '../modbus/poll-queue.js';
import type { Request } from '../modbus/request.js';
import type { SourcePeer } from '../source.js';
import { silenceMs } from './rtu-config.js';
import { type Answer, RtuLink, type RtuLinkEvents } from './rtu-link.js';

/** RTU has no transaction ids: after a request that was given up, a late answer gets this long to pass by. */
const LATE_MS = 20;
/** So many requests without an answer, whoever was asked: it is the connection. */
const MOST_SILENT = 3;

/**
 * The units of one serial line (or of a device server that has one), asked one after the other: the line is
 * half-duplex. Every poll ends as it does with Modbus TCP, and so does every frame: the MBAP header is made
 * here, with a transaction id that counts the requests.
 *
 * Source: MODBUS over Serial Line V1.02, 2.4 (states of the master) and 2.5.1 (RTU).
 */
export class RtuDevice implements PolledDevice, RtuLinkEvents {
  readonly label: string;
  readonly #host: DeviceHost;
  readonly #address: string;
  /** Properties of its frames. */
  readonly #properties: number;
  readonly #serial: boolean;
  readonly #gapMs: number;
  readonly #link: RtuLink;
  readonly #queue: PollQueue;
  readonly #adu = new Uint8Array(MBAP.maxAdu);
  #size = 0;
  /** Its answer is in `#adu` and found no room. */
  #held: Request | undefined;
  #asked: Request | undefined;
  #transaction = 0;
  #silent = 0;
  #quietUntil = 0;
  #timer: NodeJS.Timeout | undefined;
  #receivedAt = 0;
  readonly #time = new Stamp();
  #lastFrame = 0;
  #answers = false;
  #fault: Fault | undefined;

  /** @param requests that it can be asked in all */
  constructor(host: DeviceHost, device: RtuDeviceConfig, requests: number) {
    this.label = deviceLabel(device);
    this.#host = host;
    this.#address = `${host.name}: ${deviceAddress(device)}`;
    this.#properties = host.ingress.properties([['peer', deviceAddress(device)]]);
    this.#serial = device.serial !== undefined;
    this.#gapMs = host.settings.gapMs + (device.serial === undefined ? 0 : silenceMs(device.serial));
    this.#queue = new PollQueue(requests, host.ingress, this.label);
    this.#link = new RtuLink(device, host.settings, this);
  }

  start(): void {
    this.#link.open();
  }

  poll(requests: readonly Request[]): void {
    this.#queue.ask(requests, this.#link.state === 'waiting', this.#held !== undefined);
    this.#next();
  }

  resume(): boolean {
    const held = this.#held;
    if (held !== undefined && !this.#handOver(held)) return false;
    this.#next();
    return true;
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    const closed = this.#link.stop();
    this.#abandon('the gateway stops');
    this.#queue.skipAll();
    await closed;
  }

  state(): SourcePeer {
    const peer = { name: this.label, state: this.#link.state, lastFrame: this.#lastFrame };
    return this.#fault === undefined ? peer : { ...peer, fault: this.#fault };
  }

  up(): void {
    this.#silent = 0;
    this.#next();
  }

  down(why: string): void {
    const wait = this.#link.retry();
    this.#failed('SLUICE_SOURCE_DISCONNECTED', `${this.#address}: ${why}; next try in ${wait} ms`);
    this.#abandon(why);
    this.#queue.skipAll();
  }

  /** Asks the next, when the line is free and has been quiet for long enough. */
  #next(): void {
    clearTimeout(this.#timer);
    if (this.#asked !== undefined || this.#held !== undefined || this.#link.state !== 'connected') return;
    if (this.#queue.length === 0) return;
    const wait = this.#quietUntil - this.#host.clock.steady();
    if (wait > 0) {
      // Timers have whole milliseconds.
      this.#timer = setTimeout(this.#again, Math.ceil(wait));
      return;
    }
    const request = this.#queue.shift();
    this.#asked = request;
    this.#transaction = (this.#transaction + 1) & 0xffff;
    request.transaction = this.#transaction;
    this.#link.ask(request, answer => this.#take(request, answer));
  }

  readonly #again = (): void => this.#next();

  #take(request: Request, answer: Answer): void {
    if (request !== this.#asked) return;
    this.#asked = undefined;
    const { clock } = this.#host;
    this.#receivedAt = clock.wall();
    this.#quietUntil = clock.steady() + this.#gapMs;
    const { transaction, unit, code } = request;
    if ('exception' in answer) {
      this.#size = encodeException(this.#adu, transaction, unit, code, answer.exception);
      this.#answered(request);
    } else if ('failure' in answer) {
      this.#unanswered(request, answer.failure, answer.why);
    } else if (answer.data.length !== readDataBytes(code, request.count)) {
      const why = `answer with byte count ${answer.data.length} where ${readDataBytes(code, request.count)} is right`;
      this.#unanswered(request, 'protocol', why);
    } else {
      this.#size = encodeAnswer(this.#adu, transaction, unit, code, answer.data);
      this.#answered(request);
    }
    this.#next();
  }

  #answered(request: Request): void {
    this.#silent = 0;
    this.#link.settled();
    if (!this.#answers) {
      this.#answers = true;
      this.#host.ingress.connected(this.#address);
    }
    if (!this.#handOver(request)) this.#host.blocked(this);
  }

  #unanswered(request: Request, failure: 'timeout' | 'protocol', why: string): void {
    const { settings, clock } = this.#host;
    request.underWay = false;
    this.#quietUntil = clock.steady() + Math.max(this.#gapMs, LATE_MS);
    if (failure === 'protocol') {
      this.#silent = 0;
      const what = `unit ${request.unit} gave no right answer to ${request.what}: ${why}`;
      this.#failed('SLUICE_SOURCE_PROTOCOL', `${this.#address} ${what}`);
      return;
    }
    const what = `unit ${request.unit} did not answer ${request.what} within ${settings.timeoutMs} ms${why}`;
    this.#failed('SLUICE_SOURCE_TIMEOUT', `${this.#address} ${what}`);
    this.#silent += 1;
    // A serial line has no connection that could have been lost: its port says when it is gone.
    if (this.#serial || this.#silent < MOST_SILENT) return;
    this.#answers = false;
    this.#link.reopen();
    this.#queue.skipAll();
  }

  /** False: no room; the answer is held. */
  #handOver(request: Request): boolean {
    const { ingress } = this.#host;
    const time = this.#time.set(this.#receivedAt);
    const taken = ingress.push(request.topic, time, this.#adu, 0, this.#size, this.#properties) > 0;
    this.#held = taken ? undefined : request;
    if (!taken) return false;
    request.underWay = false;
    this.#lastFrame = this.#receivedAt;
    return true;
  }

  /** Fails what was asked, and forgets what was held. */
  #abandon(why: string): void {
    const asked = this.#asked;
    this.#asked = undefined;
    this.#answers = false;
    if (this.#held !== undefined) this.#held.underWay = false;
    this.#held = undefined;
    if (asked === undefined) return;
    asked.underWay = false;
    const what = `unit ${asked.unit} did not answer ${asked.what}: ${why}`;
    this.#failed('SLUICE_SOURCE_DISCONNECTED', `${this.#address} ${what}`);
  }

  #failed(code: Fault['code'], message: string): void {
    this.#fault = { code, message };
    this.#host.ingress.failed(this.#fault, this.label);
  }
}
