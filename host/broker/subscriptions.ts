/** What is looked at of a client. */
export interface Subscriber {
  readonly id: string;
  /** Its session ends with its connection. */
  readonly clean: boolean;
  readonly conn: { once(event: 'close', gone: () => void): unknown };
}
interface Owner {
  readonly id: string;
}
interface Asked {
  readonly topic: string;
}

/** What keeps subscriptions for aedes; not in its types. */
export interface SubscriptionStore {
  addSubscriptions(client: Owner, asked: readonly Asked[]): Promise<void>;
  removeSubscriptions(client: Owner, topics: readonly string[]): Promise<void>;
  cleanSubscriptions(client: Owner): Promise<void>;
}

export interface SubscriptionCeilings {
  /** Most of one client. */
  readonly most: number;
  /** Takes bytes of what may be kept for a client; gives them back where they are less than 0. @returns why there are not so many */
  take(clientId: string, bytes: number): string | undefined;
  isSource(clientId: string): boolean;
  refused(client: Subscriber, why: string): void;
}

/** What each level of a filter costs in the two trees that it stands in, and the rest of a subscription. */
const LEVEL_BYTES = 512;
const OVERHEAD_BYTES = 768;

/**
 * A ceiling for what clients subscribe to: in 3.1.1 a session without its client has no end, and each level of a filter
 * costs more than its bytes. What is beyond it is answered with "failure" (3.1.1 §3.9.3), and all else goes on.
 */
export class Subscriptions {
  readonly #ceilings: SubscriptionCeilings;
  /** By client id where the session outlives its connection, else by the client itself. */
  readonly #bySession = new Map<string | Subscriber, Map<string, number>>();
  readonly #told = new WeakSet<Subscriber>();
  /** The one that was let through and is on its way to the store. */
  #admitted: Asked | undefined;

  constructor(ceilings: SubscriptionCeilings) {
    this.#ceilings = ceilings;
  }

  /** Stands in front of what keeps subscriptions. */
  guard(store: SubscriptionStore): void {
    const add = store.addSubscriptions.bind(store);
    const remove = store.removeSubscriptions.bind(store);
    const clean = store.cleanSubscriptions.bind(store);
    // aedes hands over all of a packet with each of them, those that were refused too: of a packet with 10,000 that are
    // a hundred million, in one go.
    store.addSubscriptions = (client, asked) =>
      add(client, this.#admitted === undefined ? asked : [this.#admitted]);
    store.removeSubscriptions = (client, topics) => {
      this.unsubscribed(client.id, topics);
      return remove(client, topics);
    };
    store.cleanSubscriptions = client => {
      this.#forget(client.id);
      return clean(client);
    };
  }

  /** For `authorizeSubscribe` of aedes: `done` without what is asked for answers with "failure". */
  authorize<T extends Asked>(
    client: Subscriber,
    asked: T,
    done: (error: Error | null, granted: T | null) => void,
  ): void {
    const full = this.#ceilings.isSource(client.id) ? undefined : this.#add(client, asked.topic);
    if (full !== undefined) {
      // Once: a packet may hold thousands.
      if (!this.#told.has(client)) this.#ceilings.refused(client, full);
      this.#told.add(client);
      done(null, null);
      return;
    }
    this.#admitted = asked;
    done(null, asked);
    this.#admitted = undefined;
  }

  /** @param session the id of a client whose session stays, else the client itself */
  unsubscribed(session: string | Subscriber, topics: readonly string[]): void {
    const own = this.#bySession.get(session);
    if (own === undefined) return;
    for (const topic of topics) {
      this.#ceilings.take(idOf(session), -(own.get(topic) ?? 0));
      own.delete(topic);
    }
    if (own.size === 0) this.#bySession.delete(session);
  }

  /** Why it may not. */
  #add(client: Subscriber, topic: string): string | undefined {
    const session = client.clean ? client : client.id;
    const known = this.#bySession.get(session);
    if (known?.has(topic) === true) return undefined;
    const { most, take } = this.#ceilings;
    if (known !== undefined && known.size >= most)
      return `it has ${most} subscriptions, and that is the most of one client (\`subscriptions\`)`;
    const bytes = sizeOf(topic);
    const full = take(client.id, bytes);
    if (full !== undefined) return full;
    if (known !== undefined) known.set(topic, bytes);
    else {
      this.#bySession.set(session, new Map([[topic, bytes]]));
      if (client.clean) client.conn.once('close', () => this.#forget(client));
    }
    return undefined;
  }

  #forget(session: string | Subscriber): void {
    for (const bytes of this.#bySession.get(session)?.values() ?? [])
      this.#ceilings.take(idOf(session), -bytes);
    this.#bySession.delete(session);
  }
}

function idOf(session: string | Subscriber): string {
  return typeof session === 'string' ? session : session.id;
}

function sizeOf(topic: string): number {
  let levels = 1;
  for (let at = topic.indexOf('/'); at >= 0; at = topic.indexOf('/', at + 1)) levels += 1;
  return OVERHEAD_BYTES + levels * LEVEL_BYTES + 2 * topic.length;
}
