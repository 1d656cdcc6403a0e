import { type Fault, Interned, type PropertyImage, type Stamp } from '../../runtime/index.js';
import type { TopicFilter } from '../protocols/mqtt-wire/topic-filter.js';
import type { FrameNames, Ingress, Source } from '../sources/source.js';
import type { Reporter } from '../telemetry/reporter.js';
import type { SourceMetrics } from '../telemetry/source-metrics.js';
import { copyOf, isFor, type Outlet, put } from './outlet.js';
import type { Route } from './route.js';
import type { RouteSource } from './route-parts.js';

/**
 * A source's way into its routes. A frame is delivered when all routes that took it have delivered it.
 * What a full route does to the others depends on the source: what can be asked for again (a poll) passes
 * a full route over, so that a plugin that hangs stops nobody else; what comes once is taken by all
 * routes or by none, and the source waits.
 */
export class Feed implements Ingress, RouteSource {
  readonly name: string;
  readonly #outlets: Outlet[] = [];
  /** What is registered, for routes that come later. */
  readonly #topics: Interned[] = [];
  readonly #properties: Interned[] = [Interned.properties([])];
  readonly #metrics: SourceMetrics;
  readonly #report: Reporter;
  #repeats = false;
  #source: Source | undefined;
  #sequence = 0;
  #counted = 0;
  #delivered = 0;
  /** Frames since the last turn that no route takes. */
  #unrouted = 0;
  /** When frames were taken last, on the steady clock, ms; 0: never. Once a turn is often enough. */
  lastTurn = 0;
  #scheduled = false;
  #blocked = false;
  #stopping = false;

  constructor(name: string, metrics: SourceMetrics, report: Reporter) {
    this.name = name;
    this.#metrics = metrics;
    this.#report = report;
  }

  /** The source that writes here; it is told of room and of deliveries. */
  set source(source: Source) {
    this.#source = source;
    this.#repeats = source.repeats;
  }

  get holdsOthersUp(): boolean {
    return !this.#repeats && this.#outlets.length > 1;
  }

  get names(): FrameNames | undefined {
    return this.#source?.names;
  }

  get routes(): number {
    return this.#outlets.length;
  }

  /** A route has no room or confirms nothing, so the source is not read, does not ask, or is not sent more. */
  get isHeldUp(): boolean {
    if (this.#blocked || this.#outlets.some(({ entrance }) => !entrance.hasRoom(1))) return true;
    // Who sends once may wait for the confirmation of that before he sends more.
    return this.#source?.isHeldUp ?? (!this.#repeats && this.#sequence > this.#delivered);
  }

  /** @param filters of the topics that the route takes; none: all */
  connect(route: Route, filters: readonly TopicFilter[] = []): void {
    this.#outlets.push({
      route,
      entrance: route.entrance,
      origin: route.entrance.attach(this),
      source: Interned.text(this.name),
      topics: this.#topics.map(copyOf),
      properties: this.#properties.map(copyOf),
      filters,
      passes: this.#topics.map(({ bytes, length }) => isFor(filters, bytes, 0, length)),
      taken: this.#sequence,
      delivered: this.#sequence,
    });
  }

  topic(text: string): number {
    const bytes = Buffer.from(text, 'utf8');
    return this.topicOf(bytes, 0, bytes.length);
  }

  topicOf(bytes: Uint8Array, start: number, end: number, reuse = this.#topics.length): number {
    put(this.#topics, reuse, bytes, start, end, 0);
    for (const { topics, filters, passes } of this.#outlets) {
      put(topics, reuse, bytes, start, end, 0);
      passes[reuse] = isFor(filters, bytes, start, end);
    }
    return reuse;
  }

  properties(list: readonly (readonly [string, string])[]): number {
    if (list.length === 0) return 0;
    const { bytes, length, tuples } = Interned.properties(list);
    return this.#propertiesOf(bytes, length, tuples, this.#properties.length);
  }

  propertiesOf({ bytes, length, count }: PropertyImage, reuse = this.#properties.length): number {
    return this.#propertiesOf(bytes, length, count, reuse);
  }

  #propertiesOf(bytes: Uint8Array, length: number, count: number, number: number): number {
    put(this.#properties, number, bytes, 0, length, count);
    for (const { properties } of this.#outlets) put(properties, number, bytes, 0, length, count);
    return number;
  }

  push(topic: number, time: Stamp, bytes: Uint8Array, start: number, end: number, properties = 0): number {
    // With several routes: who has room is known before the first takes it, strings that may have to be copied included.
    const several = this.#outlets.length > 1;
    const bytesNeeded = several ? end - start + this.#strings(topic, properties) : 0;
    if (several && !this.#fits(topic, bytesNeeded)) {
      this.#blocked = true;
      return 0;
    }
    const sequence = this.#sequence + 1;
    let routed = false;
    for (const outlet of this.#outlets) {
      const { entrance, origin, source, topics, passes } = outlet;
      if (passes[topic] === false) continue;
      if (several && this.#repeats && !entrance.hasRoom(bytesNeeded)) {
        this.#passOver(outlet.route);
        continue;
      }
      const list = properties === 0 ? undefined : outlet.properties[properties];
      const text = topics[topic] as Interned;
      if (!entrance.push(origin, sequence, source, text, time, bytes, start, end, list)) {
        this.#blocked = true;
        return 0;
      }
      outlet.taken = sequence;
      routed = true;
    }
    this.#sequence = sequence;
    if (!routed) this.#unroutedTopic(topic);
    if (!this.#scheduled) {
      this.#scheduled = true;
      // Not before the sockets that are readable now have been read: their frames make one batch.
      setImmediate(this.#endTurn);
    }
    return sequence;
  }

  hasRoom(bytes: number): boolean {
    let room = 0;
    for (const { entrance } of this.#outlets) if (entrance.hasRoom(bytes)) room++;
    return this.#repeats ? room > 0 : room > 0 && room === this.#outlets.length;
  }

  /** As `hasRoom`, of the routes that take this topic. */
  #fits(topic: number, bytes: number): boolean {
    let room = 0;
    let asked = 0;
    for (const { entrance, passes } of this.#outlets) {
      if (passes[topic] === false) continue;
      asked++;
      if (entrance.hasRoom(bytes)) room++;
    }
    return asked === 0 || (this.#repeats ? room > 0 : room === asked);
  }

  /** Nobody is for it, so it is done with: its sender would send it again for ever. */
  #unroutedTopic(topic: number): void {
    this.#unrouted += 1;
    // One a turn is told of: this may be nearly all that a source brings.
    if (this.#unrouted > 1) return;
    const { bytes, length } = this.#topics[topic] as Interned;
    const text = JSON.stringify(Buffer.from(bytes.buffer, bytes.byteOffset, length).toString());
    const message = `a frame of ${this.name} on ${text} is left out: no route has a filter for this topic`;
    this.#report.fault({ code: 'SLUICE_SOURCE_UNROUTED', message }, { source: this.name });
  }

  #passOver(route: Route): void {
    this.#metrics.skipped('SLUICE_ROUTE_FULL');
    const message = `the route ${route.name} is full and leaves out frames of ${this.name}; the other routes go on`;
    this.#report.fault({ code: 'SLUICE_ROUTE_FULL', message }, { source: this.name, route: route.name });
  }

  connected(peer: string, what = 'answers'): void {
    this.#report.connected({ source: this.name, peer }, `${peer} ${what}`);
  }

  skipped(code: Fault['code'], count = 1, device?: string): void {
    this.#metrics.skipped(code, count);
    // A source that does not repeat says itself what it did about it.
    if (!this.#repeats) return;
    const why = this.#whyLeftOut(code, device);
    if (why === undefined) return;
    const message = `polls of ${this.name} are left out: ${why}`;
    // The device is no place of its own: thousands of them would be as many lines.
    const details = device === undefined ? {} : { peer: device };
    this.#report.fault({ code, message }, { source: this.name }, 'warn', details);
  }

  /** Undefined: this is not said, as something else says it. */
  #whyLeftOut(code: Fault['code'], device: string | undefined): string | undefined {
    if (code === 'SLUICE_SOURCE_BACKPRESSURE') {
      const full = this.#outlets.map(({ route }) => route.name).join(', ');
      return `the routes behind it (${full}) are full`;
    }
    if (device === undefined) return undefined;
    if (code === 'SLUICE_SOURCE_OVERRUN') return `${device} has not answered the ones before yet`;
    if (code === 'SLUICE_SOURCE_LATE') return `the gateway came to ${device} a whole period late`;
    return undefined;
  }

  failed(fault: Fault, peer?: string): void {
    this.#metrics.failed(fault.code);
    // Who closes a connection on purpose need not be told that it is closed.
    if (this.#stopping && fault.code === 'SLUICE_SOURCE_DISCONNECTED') return;
    this.#report.fault(fault, peer === undefined ? { source: this.name } : { source: this.name, peer });
  }

  /** The gateway stops: connections end because they are meant to. */
  stopping(): void {
    this.#stopping = true;
  }

  /** Says how many frames a stop has left behind. */
  sayUndelivered(): void {
    const count = this.#sequence - this.#delivered;
    if (count === 0) return;
    const message = `${count} of the ${this.#sequence} frames taken from ${this.name} were not confirmed northbound when the gateway stopped`;
    this.#report.fault({ code: 'SLUICE_SINK_ABANDONED', message }, { source: this.name });
  }

  resume(): void {
    if (!this.#blocked) return;
    this.#blocked = false;
    this.#source?.resume();
  }

  delivered(sequence: number, route: Route): void {
    for (const outlet of this.#outlets) if (outlet.route === route) outlet.delivered = sequence;
    this.#settle();
  }

  #settle(): void {
    let least = Number.POSITIVE_INFINITY;
    for (const outlet of this.#outlets) {
      // A route that has delivered all that it took holds up nothing, whatever it was passed over for.
      if (outlet.delivered < outlet.taken) least = Math.min(least, outlet.delivered);
    }
    least = Math.min(least, this.#sequence);
    if (least <= this.#delivered) return;
    this.#metrics.delivered(least - this.#delivered);
    this.#delivered = least;
    this.#source?.delivered(least);
  }

  refused(plugin: string, { code }: Fault): void {
    this.#metrics.refused(plugin, code);
  }

  /** What is asked for again is not missed; of the rest the source knows whether it can tell the sender. */
  sendBack(sequence: number, code: Fault['code']): boolean {
    return this.#repeats || this.#source?.sendBack?.(sequence, code) === true;
  }

  #strings(topic: number, properties: number): number {
    const outlet = this.#outlets[0] as Outlet;
    const list = outlet.properties[properties];
    return outlet.source.length + (outlet.topics[topic] as Interned).length + (list?.length ?? 0);
  }

  readonly #endTurn = (): void => {
    this.#scheduled = false;
    this.lastTurn = performance.now();
    this.#metrics.frames(this.#sequence - this.#counted);
    this.#counted = this.#sequence;
    if (this.#unrouted > 0) {
      this.#metrics.skipped('SLUICE_SOURCE_UNROUTED', this.#unrouted);
      this.#unrouted = 0;
      this.#settle();
    }
    for (const { entrance } of this.#outlets) entrance.turnEnded();
  };
}
