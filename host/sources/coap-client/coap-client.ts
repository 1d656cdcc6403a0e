import { faultOf } from '../../../runtime/index.js';
import { CODE, classOf } from '../../protocols/coap/code.js';
import { headerOf, type Message, readMessage } from '../../protocols/coap/message.js';
import { emptyMessage } from '../../protocols/coap/write-message.js';
import { Complaints } from '../coap/complaints.js';
import { Datagrams, type Peer, udpSocket } from '../coap/datagrams.js';
import { type Clock, systemClock } from '../modbus/clock.js';
import { Schedule } from '../modbus/schedule.js';
import type { Ingress, Source, SourcePeer } from '../source.js';
import { Asks } from './asks.js';
import { type CoapClientConfig, clientSettings } from './client-config.js';
import type { ClientDevice, ClientHost } from './client-device.js';
import { planDevices, type Turn } from './client-plan.js';

/** How often repeats, deadlines and observations are looked at; a fifth of a short `timeout`. */
const LOOK_MS = 100;
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Reads CoAP devices on UDP (RFC 7252, 7641, 7959, 9175), without DTLS: paths that are asked for again and again, and
 * paths that are observed. Each representation, put together from its blocks, becomes a frame: topic `<source>/<path>`
 * (`<source>/<device>/<path>` with several devices), properties `peer`, `path` and `content-type`.
 *
 * Nothing is believed but what comes from the address that was asked, under the token that was asked with.
 */
export class CoapClient implements Source, ClientHost {
  readonly repeats = true;
  readonly name: string;
  readonly ingress: Ingress;
  readonly clock: Clock;
  readonly settings: ClientHost['settings'];
  readonly complaints: Complaints;
  readonly asks = new Asks();
  readonly #devices: readonly ClientDevice[];
  readonly #schedule: Schedule<Turn>;
  readonly #sockets = new Map<number, Datagrams>();
  #isStopped = false;
  #tickTimer: NodeJS.Timeout | undefined;
  #lookTimer: NodeJS.Timeout | undefined;

  /** @throws SluiceError SLUICE_CONFIG_INVALID */
  constructor(name: string, config: CoapClientConfig, ingress: Ingress, clock: Clock = systemClock()) {
    this.name = name;
    this.ingress = ingress;
    this.clock = clock;
    this.settings = clientSettings(config);
    this.complaints = new Complaints(name, ingress);
    const { devices, lines } = planDevices(this, config);
    this.#devices = devices;
    this.#schedule = new Schedule<Turn>(
      lines,
      ({ device, reading }) => device.poll(reading),
      ({ device }, periods) => ingress.skipped('SLUICE_SOURCE_LATE', periods, device.label),
    );
  }

  start(): Promise<void> {
    const now = this.clock.steady();
    // Not all in one moment.
    for (const [n, device] of this.#devices.entries()) device.start(now + n);
    this.#schedule.start(now);
    this.#tick();
    const every = Math.min(LOOK_MS, Math.ceil(this.settings.timeoutMs / 5));
    this.#look();
    this.#lookTimer = setInterval(this.#look, every);
    return Promise.resolve();
  }

  resume(): void {
    for (const device of this.#devices) if (!device.resume()) return;
  }

  /** A device is answered when its frame is made: there is nothing to acknowledge. */
  delivered(): void {}

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#tickTimer);
    clearInterval(this.#lookTimer);
    for (const device of this.#devices) device.stop();
    await Promise.all([...this.#sockets.values()].map(socket => socket.close()));
  }

  state(): readonly SourcePeer[] {
    return this.#devices.map(device => device.state());
  }

  send(peer: Peer, bytes: Uint8Array): void {
    this.#socket(peer.address.includes(':') ? 6 : 4).send(peer, bytes);
  }

  #socket(family: number): Datagrams {
    const known = this.#sockets.get(family);
    if (known !== undefined) return known;
    const socket = new Datagrams(udpSocket(family === 6 ? '::' : '0.0.0.0'));
    socket.receive(
      (bytes, peer) => this.#receive(bytes, peer),
      ({ message }) => this.complaints.failed('SLUICE_SOURCE_DISCONNECTED', message),
    );
    this.#sockets.set(family, socket);
    return socket;
  }

  #receive(bytes: Buffer, peer: Peer): void {
    if (this.#isStopped) return;
    let message: Message;
    try {
      message = readMessage(bytes);
    } catch (thrown) {
      const header = headerOf(bytes);
      const isKnown = this.#devices.some(device => device.isAt(peer));
      if (isKnown && header?.type === 'con') this.send(peer, emptyMessage('rst', header.id));
      const what = `${peer.address} sent what is no CoAP: ${faultOf(thrown).message}`;
      this.complaints.failed('SLUICE_SOURCE_PROTOCOL', what);
      return;
    }
    const { type, code, id } = message;
    if (code === CODE.empty) this.#bare(message, peer);
    else if (classOf(code) === 0) this.#unasked(message, peer, 'is a request, and nobody serves here');
    else this.#answer(message, peer);
    // RFC 7252, 4.2: a confirmable message is acknowledged or reset; `#answer` acknowledges.
    if (type === 'con' && classOf(code) === 0) this.send(peer, emptyMessage('rst', id));
  }

  /** Acknowledgements and resets; anything else that is empty asks whether somebody is there. */
  #bare(message: Message, peer: Peer): void {
    const { type, id } = message;
    if (type !== 'ack' && type !== 'rst') return;
    const ask = this.asks.byId(peer, id);
    if (ask === undefined) this.complaints.skipped('SLUICE_SOURCE_UNASKED');
    else if (type === 'ack') ask.device.acknowledged(ask);
    else ask.device.reset(ask);
  }

  #answer(message: Message, peer: Peer): void {
    const { type, id, token } = message;
    const ask = this.asks.byToken(token);
    if (ask === undefined) {
      this.#late(message, peer);
      return;
    }
    if (!ask.device.isAt(peer)) {
      this.#unasked(message, peer, `carries the token of what ${ask.device.label} was asked`);
      return;
    }
    // RFC 7252, 5.3.2: with an acknowledgement the id has to fit too.
    if (type === 'ack' && ask.isStanding && id === ask.id) {
      this.complaints.skipped('SLUICE_SOURCE_REPEATED');
      return;
    }
    if (type === 'ack' && (id !== ask.id || ask.isStanding)) {
      this.#unasked(message, peer, 'acknowledges another message');
      return;
    }
    if (type === 'con') this.send(peer, emptyMessage('ack', id));
    ask.device.answer(ask, message);
  }

  /** It answers what is over, or what was never asked. */
  #late(message: Message, peer: Peer): void {
    const { type, id, token } = message;
    const meaning = this.asks.meaningOf(token);
    const isKnown = this.#devices.some(device => device.isAt(peer));
    if (meaning === undefined || !isKnown) this.#unasked(message, peer, 'carries no token of ours');
    else this.complaints.skipped(meaning);
    if (!isKnown || type === 'ack') return;
    // RFC 7641, 3.6: an observation of before ends; else what came twice is acknowledged twice.
    const isUnwanted = meaning === undefined || message.observe !== undefined;
    if (isUnwanted) this.send(peer, emptyMessage('rst', id));
    else if (type === 'con') this.send(peer, emptyMessage('ack', id));
  }

  #unasked({ id }: Message, { address, port }: Peer, why: string): void {
    const what = `a datagram of ${address}:${port} (message id ${id}) ${why}`;
    this.complaints.failed('SLUICE_SOURCE_UNASKED', what);
  }

  readonly #look = (): void => {
    const now = this.clock.steady();
    for (const device of this.#devices) device.look(now);
  };

  readonly #tick = (): void => {
    const next = this.#schedule.run(this.clock.steady());
    if (next === Number.POSITIVE_INFINITY) return;
    // A timer waits whole milliseconds and at most 2^31 of them; what is not due yet is looked at again.
    const wait = Math.ceil(next - this.clock.steady());
    this.#tickTimer = setTimeout(this.#tick, Math.min(Math.max(1, wait), LONGEST_MS));
  };
}
