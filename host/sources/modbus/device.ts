import { type Fault, faultOf, SluiceError } from '../../../runtime/index.js';
import { MBAP, MbapParser } from '../../protocols/mbap.js';
import { answerMismatch, encodeRead, READ_REQUEST_BYTES } from '../../protocols/modbus-read.js';
import type { Ingress, SourcePeer } from '../source.js';
import type { Clock } from './clock.js';
import { deviceLabel, type LinkSettings, type ModbusDevice } from './config.js';
import { Link, type LinkEvents } from './link.js';
import { type Request, RequestLine } from './request.js';

/** Transactions that timed out and may still be answered. */
const REMEMBERED = 16;

/** What the devices of one source share. */
export interface DeviceHost {
  readonly name: string;
  readonly ingress: Ingress;
  readonly clock: Clock;
  readonly settings: LinkSettings;
  /** An answer found no room: call `resume` once there is. */
  blocked(device: Device): void;
}

/**
 * One Modbus TCP device with its units, on one connection. Every poll ends in exactly one of: a frame,
 * `ingress.skipped` (it was never sent, or missed), `ingress.failed` (it was sent and not answered).
 *
 * After a protocol error nothing behind it in the stream can be trusted, so the connection is opened anew.
 */
export class Device implements LinkEvents {
  readonly label: string;
  readonly #host: DeviceHost;
  readonly #address: string;
  readonly #link: Link;
  readonly #parser = new MbapParser();
  /** Not sent yet; outlives a connection that was closed because a device fell silent. */
  readonly #queue: RequestLine;
  /** Sent, oldest deadline first. */
  readonly #flying: RequestLine;
  readonly #late = new Int32Array(REMEMBERED).fill(-1);
  #lateAt = 0;
  /** One view for each number of requests that can go out together. */
  readonly #out: Uint8Array[];
  #transaction = 0;
  #receivedAt = 0;
  #lastFrame = 0;
  #fault: Fault | undefined;
  #watch: NodeJS.Timeout | undefined;
  #look: NodeJS.Immediate | undefined;
  /** Received, but there was no room for it. */
  #held: Uint8Array | undefined;
  /** Why the connection ended while bytes were held. */
  #endedWhileHeld: string | undefined;

  constructor(host: DeviceHost, device: ModbusDevice, requests: number) {
    const { inFlight } = host.settings;
    this.label = deviceLabel(device);
    this.#host = host;
    this.#address = `${host.name}: ${device.host}:${device.port}`;
    this.#queue = new RequestLine(requests);
    this.#flying = new RequestLine(inFlight);
    const out = new Uint8Array(inFlight * READ_REQUEST_BYTES);
    this.#out = Array.from({ length: inFlight + 1 }, (_, n) => out.subarray(0, n * READ_REQUEST_BYTES));
    this.#link = new Link(device.host, device.port, host.settings, inFlight * MBAP.maxAdu, this);
  }

  start(): void {
    this.#link.open();
  }

  /** Asks all of these, unless there is a reason not to; they leave in one write. */
  poll(requests: readonly Request[]): void {
    const { ingress } = this.#host;
    const away = this.#link.state === 'waiting';
    for (const request of requests) {
      if (away) ingress.skipped('SLUICE_SOURCE_DISCONNECTED');
      else if (this.#held !== undefined) ingress.skipped('SLUICE_SOURCE_BACKPRESSURE');
      else if (request.underWay) ingress.skipped('SLUICE_SOURCE_OVERRUN');
      else if (!ingress.hasRoom(request.answerBytes)) ingress.skipped('SLUICE_SOURCE_BACKPRESSURE');
      else {
        request.underWay = true;
        this.#queue.push(request);
      }
    }
    this.#send();
  }

  /** There is room again. False if what was held still does not fit. */
  resume(): boolean {
    const held = this.#held;
    if (held === undefined) return true;
    this.#held = undefined;
    // The time for which nothing was read is not the device's.
    const deadline = this.#host.clock.steady() + this.#host.settings.timeoutMs;
    for (let i = 0; i < this.#flying.length; i++) this.#flying.at(i).deadline = deadline;
    this.#parser.feed(held);
    const goOn = this.#take();
    if (this.#held !== undefined) return false;
    const ended = this.#endedWhileHeld;
    this.#endedWhileHeld = undefined;
    if (goOn && ended !== undefined) this.down(ended);
    else if (goOn) {
      this.#link.resumeReading();
      this.#arm();
    }
    return true;
  }

  async stop(): Promise<void> {
    const closed = this.#link.stop();
    this.#held = undefined;
    this.#abandon('the gateway stops');
    this.#skipQueue();
    await closed;
  }

  state(): SourcePeer {
    const { label: name } = this;
    const peer = { name, state: this.#link.state, lastFrame: this.#lastFrame };
    return this.#fault === undefined ? peer : { ...peer, fault: this.#fault };
  }

  up(): void {
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
    if (this.#held !== undefined) {
      this.#endedWhileHeld = why;
      return;
    }
    const half = this.#parser.partial;
    const reason = half === 0 ? why : `${why} in the middle of a frame, after ${half} bytes`;
    const wait = this.#link.retry();
    this.#failed('SLUICE_SOURCE_DISCONNECTED', `${this.#address}: ${reason}; next try in ${wait} ms`);
    this.#abandon(reason);
    this.#skipQueue();
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
    const index = this.#flying.find(frame.transaction);
    if (index < 0) {
      this.#unasked(frame.transaction);
      return true;
    }
    const request = this.#flying.at(index);
    const wrong = answerMismatch(frame, request.unit, request.code, request.count);
    if (wrong !== undefined) throw protocolError(`${wrong} (${request.what})`);
    const { ingress } = this.#host;
    if (ingress.push(request.topic, this.#receivedAt, frame.bytes, frame.start, frame.end) === 0)
      return false;
    this.#flying.remove(index);
    request.underWay = false;
    this.#lastFrame = this.#receivedAt;
    this.#link.settled();
    return true;
  }

  /** Late answers are known and dropped; any other means that the stream is not what we think it is. */
  #unasked(transaction: number): void {
    const place = this.#late.indexOf(transaction);
    if (place < 0) throw protocolError(`transaction id ${transaction} answers no request that is open`);
    this.#late[place] = -1;
    this.#host.ingress.skipped('SLUICE_SOURCE_TIMEOUT');
  }

  /** Sends what may be in flight, all in one write. */
  #send(): void {
    const room = this.#out.length - 1 - this.#flying.length;
    const count = Math.min(room, this.#queue.length);
    if (count <= 0 || !this.#link.writable || this.#held !== undefined) return;
    const bytes = this.#out[count]!;
    const deadline = this.#host.clock.steady() + this.#host.settings.timeoutMs;
    for (let at = 0; at < bytes.length; ) {
      const request = this.#queue.shift();
      this.#transaction = (this.#transaction + 1) & 0xffff;
      request.transaction = this.#transaction;
      request.deadline = deadline;
      this.#flying.push(request);
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
    this.#arm();
  }

  /** One timer a device, set for the oldest request; answers do not touch it. */
  #arm(): void {
    if (this.#watch !== undefined || this.#flying.length === 0) return;
    const wait = this.#flying.at(0).deadline - this.#host.clock.steady();
    this.#watch = setTimeout(this.#ring, Math.max(1, Math.ceil(wait)));
  }

  readonly #ring = (): void => {
    // If our own loop was late, the answer may lie in the socket: let it be read before judging.
    this.#look = setImmediate(this.#expire);
  };

  readonly #expire = (): void => {
    this.#watch = undefined;
    // While bytes are held nothing is read, so nothing can be late; `resume` sets the timer again.
    if (this.#held !== undefined) return;
    const now = this.#host.clock.steady();
    let expired = 0;
    for (; this.#flying.length > 0 && this.#flying.at(0).deadline <= now; expired++) {
      const request = this.#flying.shift();
      request.underWay = false;
      this.#late[this.#lateAt] = request.transaction;
      this.#lateAt = (this.#lateAt + 1) % REMEMBERED;
      const what = `unit ${request.unit} did not answer ${request.what}`;
      this.#failed(
        'SLUICE_SOURCE_TIMEOUT',
        `${this.#address} ${what} within ${this.#host.settings.timeoutMs} ms`,
      );
    }
    if (expired > 0 && this.#flying.length === 0) {
      this.#forget();
      this.#link.reopen();
    } else {
      this.#send();
      this.#arm();
    }
  };

  /** The stream cannot be trusted any more. */
  #distrust(fault: Fault): void {
    const wait = this.#link.reopen();
    this.#failed(fault.code, `${this.#address}: ${fault.message}; connection closed, next try in ${wait} ms`);
    this.#abandon('the connection was closed after a protocol error');
    this.#skipQueue();
  }

  /** Fails what is in flight, and forgets the stream. */
  #abandon(why: string): void {
    while (this.#flying.length > 0) {
      const request = this.#flying.shift();
      request.underWay = false;
      const what = `unit ${request.unit} did not answer ${request.what}: ${why}`;
      this.#failed('SLUICE_SOURCE_DISCONNECTED', `${this.#address} ${what}`);
    }
    this.#forget();
  }

  #skipQueue(): void {
    const count = this.#queue.length;
    while (this.#queue.length > 0) this.#queue.shift().underWay = false;
    if (count > 0) this.#host.ingress.skipped('SLUICE_SOURCE_DISCONNECTED', count);
  }

  #forget(): void {
    clearTimeout(this.#watch);
    if (this.#look !== undefined) clearImmediate(this.#look);
    this.#watch = undefined;
    this.#look = undefined;
    this.#late.fill(-1);
    this.#parser.reset();
    this.#endedWhileHeld = undefined;
  }

  #failed(code: Fault['code'], message: string): void {
    this.#fault = { code, message };
    this.#host.ingress.failed(this.#fault, this.label);
  }
}

function protocolError(message: string): SluiceError {
  return new SluiceError('SLUICE_SOURCE_PROTOCOL', message);
}
