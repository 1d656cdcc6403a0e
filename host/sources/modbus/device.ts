import { type Fault, faultOf, SluiceError, Stamp } from '../../../runtime/index.js';
import { MBAP, MbapParser } from '../../protocols/mbap.js';
import { answerMismatch, encodeRead, READ_REQUEST_BYTES } from '../../protocols/modbus-read.js';
import type { Ingress, SourcePeer } from '../source.js';
import type { Clock } from './clock.js';
import { deviceAddress, deviceLabel, type LinkSettings, type TcpDevice } from './config.js';
import { Flight } from './flight.js';
import { Link, type LinkEvents } from './link.js';
import { PollQueue } from './poll-queue.js';
import type { Request } from './request.js';

/** What the devices of one source share. */
export interface DeviceHost {
  readonly name: string;
  readonly ingress: Ingress;
  readonly clock: Clock;
  readonly settings: LinkSettings;
  /** An answer found no room: call `resume` once there is. */
  blocked(device: PolledDevice): void;
}

/** A device as its source sees it, whatever it is reached by. */
export interface PolledDevice {
  readonly label: string;
  start(): void;
  /** Asks all of these, unless there is a reason not to. */
  poll(requests: readonly Request[]): void;
  /** There is room again. False if what was held still does not fit. */
  resume(): boolean;
  stop(): Promise<void>;
  state(): SourcePeer;
}

/**
 * One Modbus TCP device with its units, on one connection. Every poll ends in exactly one of: a frame,
 * `ingress.skipped` (it was never sent, or missed), `ingress.failed` (it was sent and not answered).
 *
 * After a protocol error nothing behind it in the stream can be trusted, so the connection is opened anew.
 */
export class Device implements PolledDevice, LinkEvents {
  readonly label: string;
  readonly #host: DeviceHost;
  readonly #address: string;
  /** Properties of its frames. */
  readonly #properties: number;
  readonly #link: Link;
  readonly #parser = new MbapParser();
  /** Not sent yet; outlives a connection that was closed because a device fell silent. */
  readonly #queue: PollQueue;
  readonly #flight: Flight;
  /** One view for each number of requests that can go out together. */
  readonly #out: Uint8Array[];
  /** Since the connection is up, a good answer has come. */
  #answers = false;
  #receivedAt = 0;
  readonly #time = new Stamp();
  #lastFrame = 0;
  #fault: Fault | undefined;
  /** Received, but there was no room for it. Nothing is read meanwhile, so a close is seen afterwards. */
  #held: Uint8Array | undefined;

  constructor(host: DeviceHost, device: TcpDevice, requests: number) {
    const { inFlight, timeoutMs } = host.settings;
    this.label = deviceLabel(device);
    this.#host = host;
    this.#address = `${host.name}: ${deviceAddress(device)}`;
    this.#properties = host.ingress.properties([['peer', deviceAddress(device)]]);
    this.#queue = new PollQueue(requests, host.ingress, this.label);
    this.#flight = new Flight(inFlight, timeoutMs, host.clock, () => this.#overdue());
    const out = new Uint8Array(inFlight * READ_REQUEST_BYTES);
    this.#out = Array.from({ length: inFlight + 1 }, (_, n) => out.subarray(0, n * READ_REQUEST_BYTES));
    this.#link = new Link(device.host, device.port, host.settings, inFlight * MBAP.maxAdu, this);
  }

  start(): void {
    this.#link.open();
  }

  /** Asks all of these, unless there is a reason not to; they leave in one write. */
  poll(requests: readonly Request[]): void {
    this.#queue.ask(requests, this.#link.state === 'waiting', this.#held !== undefined);
    this.#send();
  }

  /** There is room again. False if what was held still does not fit. */
  resume(): boolean {
    const held = this.#held;
    if (held === undefined) return true;
    this.#held = undefined;
    this.#parser.feed(held);
    if (this.#take()) {
      // What came meanwhile is read before the watch can ring.
      this.#link.resumeReading();
      this.#flight.watch();
    }
    return this.#held === undefined;
  }

  async stop(): Promise<void> {
    const closed = this.#link.stop();
    this.#abandon('the gateway stops');
    this.#queue.skipAll();
    await closed;
  }

  state(): SourcePeer {
    const { label: name } = this;
    const peer = { name, state: this.#link.state, lastFrame: this.#lastFrame };
    return this.#fault === undefined ? peer : { ...peer, fault: this.#fault };
  }

  up(): void {
    this.#answers = false;
    this.#send();
  }

  written(): void {
    this.#send();
  }

  bytes(buffer: Uint8Array, length: number): boolean {
    this.#receivedAt = this.#host.clock.wall();
    this.#parser.feed(buffer, 0, length);
    return this.#take();
  }

  down(why: string): void {
    const half = this.#parser.partial;
    const reason = half === 0 ? why : `${why} in the middle of a frame, after ${half} bytes`;
    const wait = this.#link.retry();
    this.#failed('SLUICE_SOURCE_DISCONNECTED', `${this.#address}: ${reason}; next try in ${wait} ms`);
    this.#abandon(reason);
    this.#queue.skipAll();
  }

  /** Hands over every whole frame of what was fed; false when reading has to stop. */
  #take(): boolean {
    const parser = this.#parser;
    try {
      while (parser.next()) {
        if (this.#answer(parser)) continue;
        this.#held = parser.takeBack();
        this.#host.blocked(this);
        return false;
      }
    } catch (thrown) {
      this.#distrust(faultOf(thrown));
      return false;
    }
    this.#send();
    return true;
  }

  /** One frame. False: no room for it. */
  #answer(frame: MbapParser): boolean {
    const request = this.#flight.find(frame.transaction);
    if (request === undefined) {
      this.#unasked(frame.transaction);
      return true;
    }
    const wrong = answerMismatch(frame, request.unit, request.code, request.count);
    if (wrong !== undefined) throw protocolError(`${wrong} (${request.what})`);
    const { ingress } = this.#host;
    const { bytes, start, end } = frame;
    const time = this.#time.set(this.#receivedAt);
    if (ingress.push(request.topic, time, bytes, start, end, this.#properties) === 0) return false;
    this.#flight.land(request);
    this.#lastFrame = this.#receivedAt;
    this.#link.settled();
    if (!this.#answers) {
      this.#answers = true;
      ingress.connected(this.#address);
    }
    return true;
  }

  /** Late answers are known and dropped; any other means that the stream is not what we think it is. */
  #unasked(transaction: number): void {
    if (!this.#flight.wasLate(transaction)) {
      throw protocolError(`transaction id ${transaction} answers no request that is open`);
    }
    this.#host.ingress.skipped('SLUICE_SOURCE_TIMEOUT');
  }

  /** Sends what may be in flight, all in one write. */
  #send(): void {
    const count = Math.min(this.#flight.room, this.#queue.length);
    if (count <= 0 || !this.#link.writable || this.#held !== undefined) return;
    const bytes = this.#out[count]!;
    for (let at = 0; at < bytes.length; ) {
      const request = this.#queue.shift();
      this.#flight.launch(request);
      at = encodeRead(
        bytes,
        at,
        request.transaction,
        request.unit,
        request.code,
        request.first,
        request.count,
      );
    }
    this.#link.write(bytes);
    this.#flight.watch();
  }

  #overdue(): void {
    // While bytes are held nothing is read, so nothing can be late; `resume` watches again.
    if (this.#held !== undefined) return;
    const { clock, settings } = this.#host;
    const now = clock.steady();
    let silent = false;
    for (
      let request = this.#flight.expired(now);
      request !== undefined;
      request = this.#flight.expired(now)
    ) {
      silent = this.#flight.silentSince(request);
      const what = `unit ${request.unit} did not answer ${request.what} within ${settings.timeoutMs} ms`;
      this.#failed('SLUICE_SOURCE_TIMEOUT', `${this.#address} ${what}`);
    }
    // One unit may be dead or slow; if nothing at all was answered since, it is the connection.
    if (silent && this.#flight.length === 0) {
      this.#forget();
      this.#link.reopen();
    } else {
      this.#send();
      this.#flight.watch();
    }
  }

  /** The stream cannot be trusted any more. */
  #distrust(fault: Fault): void {
    const wait = this.#link.reopen();
    this.#failed(fault.code, `${this.#address}: ${fault.message}; connection closed, next try in ${wait} ms`);
    this.#abandon('the connection was closed after a protocol error');
    this.#queue.skipAll();
  }

  /** Fails what is in flight, and forgets the stream. */
  #abandon(why: string): void {
    for (let request = this.#flight.next(); request !== undefined; request = this.#flight.next()) {
      const what = `unit ${request.unit} did not answer ${request.what}: ${why}`;
      this.#failed('SLUICE_SOURCE_DISCONNECTED', `${this.#address} ${what}`);
    }
    this.#forget();
  }

  #forget(): void {
    this.#flight.reset();
    this.#parser.reset();
    this.#held = undefined;
  }

  #failed(code: Fault['code'], message: string): void {
    this.#fault = { code, message };
    this.#host.ingress.failed(this.#fault, this.label);
  }
}

function protocolError(message: string): SluiceError {
  return new SluiceError('SLUICE_SOURCE_PROTOCOL', message);
}
