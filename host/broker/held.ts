import type { Aedes, AedesPublishPacket, Client, PublishPacket, Subscription } from 'aedes';
import { TopicFilter } from '../protocols/mqtt-wire/topic-filter.js';

/** What was passed on already is acknowledged by aedes under a topic that nobody can have subscribed to. */
const NOWHERE = '$sluice/passed-on';
const NOTHING = Buffer.alloc(0);

type Done = (error?: Error | null) => void;

/** A publication that the gateway has not confirmed. */
interface Waiting {
  readonly key: string;
  readonly payload: Buffer;
  /** Sources of the gateway that have not said that it is delivered. */
  readonly left: Set<string>;
  done: Done;
}

/**
 * Keeps the PUBACK of a publication at QoS 1 back that a source of the gateway reads at QoS 1 or 2, until that source has
 * acknowledged it, which it does when every sink has confirmed or spooled what became of it. aedes acknowledges before it
 * passes on, so here it is passed on before aedes comes to that. What comes at QoS 2 is answered when it is passed on, and
 * not later: aedes knows a repetition only behind this place. Nor is what is to be retained kept back, or what goes to a
 * source without a session: aedes does not say which of those was acknowledged.
 */
export class Held {
  readonly #aedes: Aedes;
  /** Client ids of sources of the gateway, and what each has asked for. */
  readonly #sources = new Map<string, Map<string, { readonly filter: TopicFilter; readonly qos: number }>>();
  /**
   * Client ids of sinks of the gateway, and whether each comes here, and not to another broker: a route that reads what it
   * writes must not wait for itself.
   */
  readonly #sinks = new Map<string, boolean>();
  readonly #byKey = new Map<string, Waiting>();
  /** The packet itself gets no number before it is passed on, but its bytes stay the same object. */
  readonly #byPayload = new Map<Buffer, Waiting>();

  constructor(aedes: Aedes) {
    this.#aedes = aedes;
    aedes.on('subscribe', (subscriptions, client) => this.#subscribed(subscriptions, client));
    aedes.on('unsubscribe', (filters, client) => {
      for (const filter of filters) this.#sources.get(client?.id ?? '')?.delete(filter);
    });
    aedes.on('ack', (packet, client) => this.#acknowledged(packet as AedesPublishPacket | undefined, client));
  }

  /** A source of the gateway comes under this client id, before it does. */
  source(clientId: string): void {
    this.#sources.set(clientId, new Map());
  }

  /** @param comesHere it is for it alone; else for whoever has it, until the sink has come after all */
  sink(clientId: string, comesHere = true): void {
    this.#sinks.set(clientId, comesHere);
  }

  /** Nobody else may come under it. */
  isReserved(clientId: string): boolean {
    return this.#sources.has(clientId) || this.#sinks.get(clientId) === true;
  }

  isSource(clientId: string): boolean {
    return this.#sources.has(clientId);
  }

  isSink(clientId: string): boolean {
    return this.#sinks.has(clientId);
  }

  /** Publications that wait, and whose senders do. */
  get waiting(): number {
    return this.#byKey.size;
  }

  /** For `authorizePublish` of aedes. */
  authorize(client: Client | null, packet: PublishPacket, done: Done): void {
    const readers =
      packet.qos === 1 && !packet.retain && client !== null
        ? this.#readersOf(packet.topic, client.id)
        : undefined;
    if (readers === undefined || client === null) {
      done(null);
      return;
    }
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload;
    const { topic } = packet;
    const acknowledge: Done = error => {
      packet.topic = NOWHERE;
      packet.payload = NOTHING;
      done(error);
    };
    const key = `${client.id} ${packet.messageId}`;
    const known = this.#byKey.get(key);
    // It came again over a new connection while the first waits still: it is not passed on twice.
    if (packet.dup && known?.payload.equals(payload) === true) {
      known.done = acknowledge;
      return;
    }
    const waiting: Waiting = { key, payload, left: readers, done: acknowledge };
    if (known !== undefined) this.#forget(known);
    this.#byKey.set(key, waiting);
    this.#byPayload.set(payload, waiting);
    this.#aedes.publish({ cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false }, error => {
      if (!error) return;
      this.#forget(waiting);
      waiting.done(error);
    });
  }

  #readersOf(topic: string, sender: string): Set<string> | undefined {
    if (this.#sinks.get(sender) === true) return undefined;
    let readers: Set<string> | undefined;
    const bytes = Buffer.from(topic);
    for (const [id, filters] of this.#sources) {
      for (const { filter, qos } of filters.values()) {
        if (qos === 0 || !filter.matches(bytes, 0, bytes.length)) continue;
        readers ??= new Set();
        readers.add(id);
      }
    }
    return readers;
  }

  #subscribed(subscriptions: readonly Subscription[], client: Client | null): void {
    const own = this.#sources.get(client?.id ?? '');
    if (own === undefined) return;
    for (const { topic, qos } of subscriptions) {
      if (topic.startsWith('$share/')) continue;
      own.set(topic, { filter: new TopicFilter(topic), qos: Number(qos) });
    }
  }

  #acknowledged(packet: AedesPublishPacket | undefined, client: Client | null): void {
    const waiting = packet === undefined ? undefined : this.#byPayload.get(packet.payload as Buffer);
    if (waiting === undefined || client === null) return;
    waiting.left.delete(client.id);
    if (waiting.left.size > 0) return;
    this.#forget(waiting);
    waiting.done(null);
  }

  #forget(waiting: Waiting): void {
    if (this.#byKey.get(waiting.key) === waiting) this.#byKey.delete(waiting.key);
    this.#byPayload.delete(waiting.payload);
  }
}
