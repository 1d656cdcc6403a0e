import { type Fault, type FrameCopy, Interned } from '../../runtime/index.js';
import type { Entrance } from './entrance.js';
import type { RouteSource } from './route-parts.js';

/** What became of a frame that was sent through its route again. */
export type Replayed =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'refused'; readonly plugin: string; readonly fault: Fault };

interface UnderWay {
  readonly sequence: number;
  refused: { plugin: string; fault: Fault } | undefined;
  readonly resolve: (replayed: Replayed) => void;
}

/** A way into one route for frames that went through it before: one at a time, told of what becomes of each. */
export class Replay implements RouteSource {
  readonly name = 'replay';
  readonly replays = true;
  readonly routes = 0;
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

  /** Resolves when every sink has confirmed it, or it was refused; that can take as long as a sink is away. */
  run(frame: FrameCopy): Promise<Replayed> {
    const done = this.#last.then(() => this.#run(frame));
    this.#last = done;
    return done;
  }

  async #run(frame: FrameCopy): Promise<Replayed> {
    const sequence = ++this.#sequence;
    const { promise, resolve } = Promise.withResolvers<Replayed>();
    this.#now = { sequence, refused: undefined, resolve };
    while (!this.#push(sequence, frame)) {
      await new Promise<void>(room => {
        this.#room = room;
      });
    }
    this.#entrance.turnEnded();
    return promise;
  }

  #push(sequence: number, { source, topic, timestamp, payload, properties }: FrameCopy): boolean {
    // A slab keeps whole microseconds, which a double of milliseconds holds.
    const ms = Number(timestamp / 1000n) / 1000;
    const list = properties.length === 0 ? undefined : Interned.properties(properties);
    const texts = [Interned.text(source), Interned.text(topic)] as const;
    return this.#entrance.push(this.#origin, sequence, ...texts, ms, payload, 0, payload.length, list);
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

  refused(plugin: string, fault: Fault): void {
    if (this.#now !== undefined) this.#now.refused ??= { plugin, fault };
  }
}
