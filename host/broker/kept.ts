import type { Readable } from 'node:stream';
import { Retained } from './retained.js';

/** What is looked at of a packet and of a client. */
interface Packet {
  readonly cmd?: string;
  readonly topic?: string;
  readonly payload?: string | Buffer;
  readonly messageId?: number | undefined;
}
interface Owner {
  readonly id: string;
}
interface Reader {
  readonly clientId: string;
}

/** What keeps things for aedes; not in its types. */
export interface Persistence {
  storeRetained(packet: Packet): Promise<void>;
  createRetainedStreamCombi(filters: readonly string[]): Readable;
  outgoingEnqueueCombi(readers: readonly Reader[], packet: Packet): Promise<void>;
  outgoingClearMessageId(client: Owner, packet: Packet): Promise<Packet | undefined>;
  outgoingUpdate(client: Owner, packet: Packet): Promise<void>;
  outgoingStream(client: Owner): AsyncIterable<Packet>;
  cleanSubscriptions(client: Owner): Promise<void>;
  incomingStorePacket(client: Owner, packet: Packet): Promise<void>;
  incomingDelPacket(client: Owner, packet: Packet): Promise<void>;
  cleanIncoming(client: Owner): Promise<void>;
}

export interface KeptCeilings {
  /** Most bytes. */
  readonly kept: number;
  /** Most clients that are connected at once. */
  readonly connections: number;
  /** A source of the gateway comes under this client id: it is left nothing out. */
  isSource(clientId: string): boolean;
  /** The client id of who had this retained; undefined: a sink of the gateway, or the broker itself. */
  retainerOf(payload: string | Buffer | undefined): string | undefined;
  /** Something was not kept. */
  full(text: string): void;
}

/**
 * What one client may have of the whole; the same again of what waits for it, that others have sent and must not keep it
 * from saying something; and the same again of what it has retained, which stays when it is gone.
 */
const SHARE = 1 / 4;
/** What all may have but sources of the gateway and small wills: what nobody fetches must not keep devices from being heard. */
const OTHERS_SHARE = 3 / 4;
/** What wills of the clients that may be connected have in any case, each a part of it. */
const WILLS_SHARE = 1 / 8;
/** What a packet costs beside its topic and payload, about. */
const OVERHEAD_BYTES = 256;

/**
 * A ceiling for what aedes keeps in memory: retained messages, messages for sessions that are away or do not
 * acknowledge, and messages at QoS 2 whose PUBREL has not come. Without it a client that never comes back, or one that
 * never ends what it began, uses up the memory of the gateway.
 */
export class Kept {
  readonly #inner: Inner;
  readonly #ceilings: KeptCeilings;
  readonly #retained = new Retained();
  /** Bytes by client id: what it subscribes to and has not ended at QoS 2, and what waits for it. */
  readonly #byClient = new Map<string, number>();
  readonly #outgoing = new Map<string, number>();
  /** Bytes by client id of what it has retained. */
  readonly #retainedOf = new Map<string, number>();
  /** Bytes by client id and message id. */
  readonly #incoming = new Map<string, Map<number | undefined, number>>();
  #held = 0;

  constructor(inner: Inner, ceilings: KeptCeilings) {
    this.#inner = inner;
    this.#ceilings = ceilings;
  }

  /** Bytes that are kept. */
  get held(): number {
    return this.#held;
  }

  /** Puts the ceiling in front of what keeps. */
  static over(persistence: Persistence, ceilings: KeptCeilings): Kept {
    // As it is now, without what is put in front of it.
    const kept = new Kept(bound(persistence), ceilings);
    persistence.outgoingUpdate = (client, packet) => kept.#update(client, packet);
    persistence.cleanSubscriptions = client => kept.#cleanSession(client);
    persistence.storeRetained = packet => kept.#storeRetained(packet);
    persistence.createRetainedStreamCombi = filters => kept.#retained.stream(filters);
    persistence.outgoingEnqueueCombi = (readers, packet) => kept.#enqueue(readers, packet);
    persistence.outgoingClearMessageId = (client, packet) => kept.#clear(client, packet);
    persistence.incomingStorePacket = (client, packet) => kept.#storeIncoming(client, packet);
    persistence.incomingDelPacket = (client, packet) => kept.#deleteIncoming(client, packet);
    persistence.cleanIncoming = client => kept.#cleanIncoming(client);
    return kept;
  }

  /**
   * Bytes of something else that is kept for a client (less than 0: that is not any more).
   * @returns why not: there is no room, or not for so much of one client, and nothing is counted
   */
  take(clientId: string, bytes: number): string | undefined {
    if (bytes > 0) {
      if (this.#isFull(bytes))
        return 'three quarters of what may be kept are used up, also by what clients subscribe to (`kept`)';
      if (this.#isTooMuch(clientId, bytes))
        return 'a quarter of what may be kept is the most of one client, also of what it subscribes to (`kept`)';
    }
    this.#add(clientId, bytes);
    return undefined;
  }

  /**
   * Bytes of a will (less than 0: it is gone). A small one always has its place: else what nobody fetches would keep devices
   * from coming in at all.
   * @returns why not, and nothing is counted
   */
  takeWill(bytes: number): string | undefined {
    const { kept, connections } = this.#ceilings;
    const small = Math.floor((kept * WILLS_SHARE) / connections);
    if (bytes > small && this.#isFull(bytes))
      return `it counts ${bytes} bytes, up to ${small} always have a place, and three quarters of what may be kept are used up (\`kept\`)`;
    this.#held += bytes;
    return undefined;
  }

  /** Fewer than for sources are for all else. */
  #isFull(bytes: number): boolean {
    return this.#held + bytes > this.#ceilings.kept * OTHERS_SHARE;
  }

  #isTooMuch(clientId: string, bytes: number): boolean {
    return (this.#byClient.get(clientId) ?? 0) + bytes > this.#ceilings.kept * SHARE;
  }

  #add(clientId: string, bytes: number): void {
    this.#held += bytes;
    const own = (this.#byClient.get(clientId) ?? 0) + bytes;
    if (own > 0) this.#byClient.set(clientId, own);
    else this.#byClient.delete(clientId);
  }

  async #storeRetained(packet: Packet): Promise<void> {
    const { topic = '', payload = '' } = packet;
    const { kept, retainerOf, full } = this.#ceilings;
    const known = this.#retained.get(topic);
    const before = known === undefined ? 0 : sizeOf(known);
    const bytes = payload.length === 0 ? 0 : sizeOf(packet);
    const whose = retainerOf(payload);
    const whoseBefore = retainerOf(known?.payload);
    const more = bytes - (whose === whoseBefore ? before : 0);
    const isTooMuch = whose !== undefined && more > 0 && this.#retainedBy(whose) + more > kept * SHARE;
    if (isTooMuch || (bytes > before && this.#isFull(bytes - before))) {
      const by = whose === undefined ? '' : ` of ${quoted(whose)}`;
      full(`the message${by} under ${quoted(topic)} is passed on, and not retained`);
      return;
    }
    this.#held += bytes - before;
    this.#countRetained(whoseBefore, -before);
    this.#countRetained(whose, bytes);
    this.#retained.put(packet);
  }

  #retainedBy(clientId: string): number {
    return this.#retainedOf.get(clientId) ?? 0;
  }

  #countRetained(clientId: string | undefined, more: number): void {
    if (clientId === undefined) return;
    const bytes = this.#retainedBy(clientId) + more;
    if (bytes > 0) this.#retainedOf.set(clientId, bytes);
    else this.#retainedOf.delete(clientId);
  }

  async #enqueue(readers: readonly Reader[], packet: Packet): Promise<void> {
    const bytes = sizeOf(packet);
    const { kept, isSource, full } = this.#ceilings;
    const sources = readers.filter(({ clientId }) => isSource(clientId)).length;
    // Its sender has it still: it gets no answer. Before anything is counted.
    if (sources > 0 && this.#held + sources * bytes > kept)
      throw new Error('it published what the gateway cannot keep now (`kept`)');
    const taken: Reader[] = [];
    for (const reader of readers) {
      const { clientId } = reader;
      const own = this.#outgoing.get(clientId) ?? 0;
      if (!isSource(clientId) && (this.#isFull(bytes) || own + bytes > kept * SHARE)) {
        full(
          `the message under ${quoted(packet.topic)} is left out for ${quoted(clientId)}, which is away or does not acknowledge`,
        );
        continue;
      }
      this.#outgoing.set(clientId, own + bytes);
      this.#held += bytes;
      taken.push(reader);
    }
    await this.#inner.outgoingEnqueueCombi(taken, packet);
  }

  async #clear(client: Owner, packet: Packet): Promise<Packet | undefined> {
    const cleared = await this.#inner.outgoingClearMessageId(client, packet);
    if (cleared === undefined) return undefined;
    this.#release(client, sizeOf(cleared));
    return cleared;
  }

  /** A message at QoS 2 makes way for its PUBREL, which is smaller. */
  async #update(client: Owner, packet: Packet): Promise<void> {
    let freed = 0;
    if (packet.cmd === 'pubrel')
      for await (const each of this.#inner.outgoingStream(client)) {
        if (each.messageId !== packet.messageId) continue;
        freed = sizeOf(each) - sizeOf(packet);
        break;
      }
    await this.#inner.outgoingUpdate(client, packet);
    this.#release(client, freed);
  }

  #release({ id }: Owner, size: number): void {
    const own = this.#outgoing.get(id) ?? 0;
    const bytes = Math.min(size, own);
    this.#held -= bytes;
    if (own > bytes) this.#outgoing.set(id, own - bytes);
    else this.#outgoing.delete(id);
  }

  /** 3.1.1 §3.1.2.4: of the session before nothing is left; aedes forgets what it subscribed to only. */
  async #cleanSession(client: Owner): Promise<void> {
    for await (const packet of this.#inner.outgoingStream(client)) await this.#clear(client, packet);
    await this.#inner.cleanSubscriptions(client);
  }

  async #storeIncoming(client: Owner, packet: Packet): Promise<void> {
    const bytes = sizeOf(packet);
    // No PUBREC: it has the message still.
    if (this.#isFull(bytes) || this.#isTooMuch(client.id, bytes))
      throw new Error('it published at QoS 2 what cannot be kept until its PUBREL (`kept`)');
    const own = this.#incoming.get(client.id) ?? new Map<number | undefined, number>();
    this.#add(client.id, bytes - (own.get(packet.messageId) ?? 0));
    own.set(packet.messageId, bytes);
    this.#incoming.set(client.id, own);
    await this.#inner.incomingStorePacket(client, packet);
  }

  async #deleteIncoming(client: Owner, packet: Packet): Promise<void> {
    await this.#inner.incomingDelPacket(client, packet);
    const own = this.#incoming.get(client.id);
    this.#add(client.id, -(own?.get(packet.messageId) ?? 0));
    own?.delete(packet.messageId);
    if (own?.size === 0) this.#incoming.delete(client.id);
  }

  async #cleanIncoming(client: Owner): Promise<void> {
    await this.#inner.cleanIncoming(client);
    for (const bytes of this.#incoming.get(client.id)?.values() ?? []) this.#add(client.id, -bytes);
    this.#incoming.delete(client.id);
  }
}

type Inner = Omit<Persistence, 'storeRetained' | 'createRetainedStreamCombi'>;

function bound(inner: Persistence): Inner {
  return {
    outgoingUpdate: inner.outgoingUpdate.bind(inner),
    outgoingStream: inner.outgoingStream.bind(inner),
    cleanSubscriptions: inner.cleanSubscriptions.bind(inner),
    outgoingEnqueueCombi: inner.outgoingEnqueueCombi.bind(inner),
    outgoingClearMessageId: inner.outgoingClearMessageId.bind(inner),
    incomingStorePacket: inner.incomingStorePacket.bind(inner),
    incomingDelPacket: inner.incomingDelPacket.bind(inner),
    cleanIncoming: inner.cleanIncoming.bind(inner),
  };
}

function sizeOf({ topic = '', payload = '' }: Packet): number {
  return OVERHEAD_BYTES + topic.length + payload.length;
}

function quoted(text = ''): string {
  return JSON.stringify(text.slice(0, 60));
}
