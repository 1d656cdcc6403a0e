import type { Registry } from 'prom-client';
import type { ErrorCode } from '../../runtime/index.js';
import { type Cell, cellFamily } from './cells.js';

type Families = ReturnType<typeof spoolFamilies>;

export function spoolFamilies(registry: Registry) {
  const family = <L extends string>(name: string, help: string, ...labels: L[]) =>
    cellFamily({ name: `sluice_spool_${name}`, help, labels, registry });
  return {
    records: family('records', 'Messages that lie in the spool for a sink.', 'sink'),
    bytes: family('bytes', 'Bytes of these messages.', 'sink'),
    oldest: family('oldest_seconds', 'Age of the oldest of them.', 'sink'),
    appended: family('appended_total', 'Messages put into the spool.', 'sink'),
    sent: family('sent_total', 'Messages of the spool that the sink has confirmed.', 'sink'),
    dropped: family('dropped_total', 'Messages of the spool given up for good.', 'sink', 'code'),
  };
}

/** What lies in the spool for one sink, and what became of it. */
export class SpoolMetrics {
  readonly #families: Families;
  readonly #sink: string;
  readonly #records: Cell;
  readonly #bytes: Cell;
  readonly #oldest: Cell;
  readonly #appended: Cell;
  readonly #sent: Cell;

  constructor(all: Families, sink: string) {
    this.#families = all;
    this.#sink = sink;
    this.#records = all.records({ sink });
    this.#bytes = all.bytes({ sink });
    this.#oldest = all.oldest({ sink });
    this.#appended = all.appended({ sink });
    this.#sent = all.sent({ sink });
  }

  appended(count: number): void {
    this.#appended.add(count);
  }

  sent(count: number): void {
    this.#sent.add(count);
  }

  dropped(code: ErrorCode, count: number): void {
    this.#families.dropped({ sink: this.#sink, code }).add(count);
  }

  holds(records: number, bytes: number, oldestSeconds: number): void {
    this.#records.set(records);
    this.#bytes.set(bytes);
    this.#oldest.set(oldestSeconds);
  }
}
