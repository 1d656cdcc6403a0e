import { type Fault, type FrameCopy, Interned, Stamp } from '../../runtime/index.js';
import type { FrameId, FrameName } from '../sinks/message-id.js';
import type { FrameNames } from '../sources/source.js';
import type { Entrance } from './entrance.js';
import type { Culprit, RouteSource } from './route-parts.js';

/** What became of a frame that was sent through its route again. */
export type Replayed = { readonly outcome: 'delivered' } | Refused;

interface Refused {
  readonly outcome: 'refused';
  readonly plugin: string;
  readonly fault: Fault;
  /** Absent: no plugin has run it. */
  readonly culprit?: Culprit | undefined;
}

/** Which frame of the quarantine it is: its messages are called by that. */
export interface Place {
  readonly id: number;
  /** When it went in, milliseconds since 1970: a quarantine that was damaged counts from 1 again. */
  readonly at: number;
}

interface UnderWay {
  readonly sequence: number;
  readonly place: Place | FrameName;
  refused: Omit<Refused, 'outcome'> | undefined;
  readonly resolve: (replayed: Replayed) => void;
}

/** A way into one route for frames that went through it before: one at a time, told of what becomes of each. */
export class Replay implements RouteSource {
  readonly name = 'replay';
  readonly replays = true;
  readonly overtakes = true;
  readonly routes = 0;
  /** After a kill it may be sent once more: under the same id, so that a consumer can drop the repeat. */
  readonly names = {
    name: (_sequence: number, id: FrameId) => this.#name(id),
  } satisfies FrameNames;
  readonly #entrance: Entrance;
  readonly #origin: number;
  #sequence = 0;
  #last: Promise<unknown> = Promise.resolve();
  #now: UnderWay | undefined;
  #room: (() => void) | undefined;

  constructor(entrance: Entrance) {
    this.#entrance = entrance;
    this.#origin = entrance.attach(this);
  }

  /** Plugins serve the route. */
  get isServed(): boolean {
    return this.#entrance.isServed;
  }

  /** Resolves when every sink has confirmed it, or it was refused; that can take as long as a sink is away. */
  run(frame: FrameCopy, place: Place | FrameName): Promise<Replayed> {
    const done = this.#last.then(() => this.#run(frame, place));
    this.#last = done;
    return done;
  }

  async #run(frame: FrameCopy, place: Place | FrameName): Promise<Replayed> {
    const sequence = ++this.#sequence;
    const { promise, resolve } = Promise.withResolvers<Replayed>();
    this.#now = { sequence, place, refused: undefined, resolve };
    while (!this.#push(sequence, frame)) {
      await new Promise<void>(room => {
        this.#room = room;
      });
    }
    this.#entrance.turnEnded();
    return promise;
  }

  #push(sequence: number, { source, topic, timestamp, payload, properties }: FrameCopy): boolean {
    const time = Stamp.ofNanos(timestamp);
    const list = properties.length === 0 ? undefined : Interned.properties(properties);
    const texts = [Interned.text(source), Interned.text(topic)] as const;
    return this.#entrance.push(this.#origin, sequence, ...texts, time, payload, 0, payload.length, list);
  }

  /** `GATEWAY/~replay@ROUTE/WHEN-ID`. One is under way at a time, and this is it. */
  #name(id: FrameId): void {
    if (this.#now === undefined) return;
    const { place } = this.#now;
    if ('prefix' in place) {
      id.prefix = place.prefix;
      id.sequence = place.sequence;
      return;
    }
    id.prefix = Buffer.from(`${id.origin.stem}${place.at.toString(36)}-`, 'utf8');
    id.sequence = place.id;
  }

  resume(): void {
    this.#room?.();
    this.#room = undefined;
  }

  delivered(sequence: number): void {
    const now = this.#now;
    if (now === undefined || sequence < now.sequence) return;
    this.#now = undefined;
    now.resolve(
      now.refused === undefined ? { outcome: 'delivered' } : { outcome: 'refused', ...now.refused },
    );
  }

  sendBack(): boolean {
    return true;
  }

  refused(plugin: string, fault: Fault, culprit?: Culprit): void {
    if (this.#now !== undefined) this.#now.refused ??= { plugin, fault, culprit };
  }
}
