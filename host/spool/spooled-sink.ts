import { setTimeout as after } from 'node:timers/promises';
import type { MessageView } from '../../sandbox/index.js';
import type { FrameId } from '../sinks/message-id.js';
import type { Sink, SinkState, Ticket, WindowedSink } from '../sinks/sink.js';
import type { SinkMetrics } from '../telemetry/sink-metrics.js';
import { CatchUp } from './catch-up.js';
import { Copies } from './copies.js';
import { Health } from './health.js';
import type { Queue } from './queue.js';
import { SinkQueues, type SinkQueuesOptions } from './sink-queues.js';

/** How often the sink is looked at. */
const LOOK_MS = 100;
/** At a stop confirmations are waited for this long before what is unconfirmed is put down. */
const LAST_MS = 1000;

export interface SpooledSinkOptions extends SinkQueuesOptions {
  readonly messages: SinkMetrics;
  /** Most messages a second out of the spool; Infinity: as many as the sink takes. */
  readonly rate: number;
}

/**
 * A sink with a spool behind it. While the sink takes what comes, messages go straight through. When it is
 * away, full or slow they are put down, and so are copies of those that wait in its window: then their
 * devices are told that they are safe. When it is back, the spool is handed on.
 */
export class SpooledSink implements Sink {
  onRoom: () => void = () => {};
  readonly #sink: WindowedSink;
  readonly #health: Health;
  readonly #queues: SinkQueues;
  readonly #catchUp: CatchUp;
  readonly #copies: Copies;
  #timer: NodeJS.Timeout | undefined;
  #stopped: Promise<void> | undefined;

  constructor(sink: WindowedSink, options: SpooledSinkOptions) {
    this.#sink = sink;
    sink.keepIds();
    this.#health = new Health(sink);
    const queues = new SinkQueues(options, {
      found: queue => this.#catchUp.add(queue),
      durable: () => this.#catchUp.pump(),
      room: () => this.onRoom(),
    });
    this.#queues = queues;
    this.#catchUp = new CatchUp(
      sink,
      options.rate,
      {
        take: (queue, into) => options.spool.take(queue, into),
        lost: (queue, count) => queues.lost(queue, count),
        failed: thrown => queues.failed(thrown),
        laneOf: queue => queues.laneOf(queue),
        through: () => this.onRoom(),
      },
      { messages: options.messages, spool: options.metrics, finished: run => void queues.remove(run) },
    );
    this.#copies = new Copies(
      sink,
      origin => queues.copiesOf(origin),
      queue => this.#catchUp.copies(queue),
    );
  }

  async start(): Promise<void> {
    this.#sink.onRoom = () => this.#room();
    this.#queues.start();
    await this.#sink.start();
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  write(view: MessageView, ticket: Ticket, id: FrameId): boolean {
    const queue = this.#queues.of(id.origin);
    if (queue === undefined) return this.#sink.write(view, ticket, id);
    const place = queue.last + 1;
    id.place = place;
    if (this.#health.isPassing && (!queue.ordered || queue.pending === 0 || this.#finish(queue))) {
      if (this.#sink.write(view, ticket, id)) {
        queue.last = place;
        return true;
      }
      if (!this.#health.full()) return false;
    }
    if (!this.#queues.laneOf(queue).add(view, id, queue, place, ticket)) return false;
    queue.last = place;
    this.#catchUp.add(queue);
    return true;
  }

  flush(): void {
    this.#sink.flush();
  }

  state(): SinkState {
    return { ...this.#sink.state(), spool: this.#queues.sums() };
  }

  stop(signal: AbortSignal): Promise<void> {
    this.#stopped ??= this.#stop(signal);
    return this.#stopped;
  }

  /** What is not confirmed soon is put down: it goes out after the next start. */
  async #stop(signal: AbortSignal): Promise<void> {
    clearInterval(this.#timer);
    this.#catchUp.end();
    const end = new AbortController();
    const closed = this.#sink.stop(end.signal);
    const patience = after(this.#health.isConnected ? LAST_MS : 0, undefined, { ref: false, signal });
    await Promise.race([closed, patience.catch(() => {})]);
    // A store that hangs must not hold up the end of the gateway for ever.
    const most = after(Math.max(LAST_MS, 1), undefined, { ref: false });
    await Promise.race([this.#putDown(), Promise.all([most, aborted(signal)])]);
    end.abort();
    await closed;
    this.#queues.stop();
  }

  async #putDown(): Promise<void> {
    while (!this.#copies.make() && this.#queues.isOpen) await this.#queues.empty();
    await this.#queues.empty();
  }

  /** The window of the sink has room again. */
  #room(): void {
    this.#health.room();
    this.#catchUp.pump();
    this.onRoom();
  }

  #look(): void {
    const wasPassing = this.#health.isPassing;
    this.#health.look();
    if (this.#health.wantsCopies) this.#copies.make();
    if (this.#health.isConnected) this.#catchUp.start();
    else this.#catchUp.pause();
    this.#queues.show();
    // Who waits for room in the window may put down what he has, or pass again.
    if (wasPassing !== this.#health.isPassing) this.onRoom();
  }

  #finish(queue: Queue): boolean {
    return queue.isNearlyThrough && this.#catchUp.finish(queue, this.#queues.laneOf(queue));
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise(resolve => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
