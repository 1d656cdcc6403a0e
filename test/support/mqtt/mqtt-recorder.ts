import { FrameId, Origins } from '../../../host/sinks/message-id.js';
import type { Sink, SinkReport, Ticket } from '../../../host/sinks/sink.js';
import type { Fault } from '../../../runtime/index.js';
import { type TestMessage, TestView } from './mqtt-view.js';

/** Ticket and report of a test: counts, and lets a test wait for a condition without sleeping. */
export class Recorder implements Ticket, SinkReport {
  confirmed = 0;
  lost = 0;
  stored = 0;
  again = 0;
  readonly codes: Fault['code'][] = [];
  readonly faults: Fault[] = [];
  readonly #waiting = new Set<() => void>();

  done(count: number): void {
    this.confirmed += count;
    this.#changed();
  }

  dropped(count: number, code: Fault['code']): void {
    this.lost += count;
    for (let i = 0; i < count; i++) this.codes.push(code);
    this.#changed();
  }

  spooled(count: number): void {
    this.stored += count;
    this.#changed();
  }

  failed(fault: Fault): void {
    this.faults.push(fault);
    this.#changed();
  }

  connections = 0;

  connected(): void {
    this.connections++;
  }

  retried(count: number): void {
    this.again += count;
    this.#changed();
  }

  /** Resolves once `condition` holds; looked at after each event. */
  until(condition: () => boolean): Promise<void> {
    return new Promise(resolve => {
      const look = (): void => {
        if (!condition()) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  settled(count: number): Promise<void> {
    return this.until(() => this.confirmed + this.lost >= count);
  }

  faulted(code: Fault['code']): Promise<void> {
    return this.until(() => this.faults.some(fault => fault.code === code));
  }

  #changed(): void {
    for (const look of [...this.#waiting]) look();
  }
}

const ORIGIN = new Origins('gateway', '1').make('route', 'source', false);

/** The id `gateway/source/1-SEQUENCE`. */
export function numberedId(sequence: number): FrameId {
  const id = new FrameId(ORIGIN);
  id.sequence = sequence;
  return id;
}

/** Writes all messages with ids from 1 on, waiting for room as a route does, and flushes after every `batch`. */
export async function writeAll(
  sink: Sink,
  ticket: Ticket,
  messages: readonly TestMessage[],
  batch = 64,
): Promise<void> {
  const view = new TestView(messages);
  for (let i = 0; i < view.count; i++) {
    view.at(i);
    while (!sink.write(view, ticket, numberedId(i + 1))) {
      await new Promise<void>(resolve => {
        sink.onRoom = resolve;
        sink.flush();
      });
    }
    if (i % batch === batch - 1) sink.flush();
  }
  sink.flush();
}

/** `count` messages with payloads "0", "1", ... */
export function numbered(count: number, more: Partial<TestMessage> = {}): TestMessage[] {
  return Array.from({ length: count }, (_, i) => ({ topic: 't/n', payload: String(i), qos: 1, ...more }));
}

/** A signal that is aborted already: stop at once. */
export const NOW: AbortSignal = AbortSignal.abort();
