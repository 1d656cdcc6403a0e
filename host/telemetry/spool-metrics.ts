import type { Registry } from 'prom-client';
import type { ErrorCode } from '../../runtime/index.js';
import { type Cell, cellFamily } from './cells.js';

/** The cells of one user of the spool. */
export interface SpoolCells {
  readonly records: Cell;
  readonly bytes: Cell;
  readonly oldest: Cell;
  readonly appended: Cell;
  readonly sent: Cell;
  readonly dropped: (code: ErrorCode) => Cell;
}

export interface ParkedCells extends SpoolCells {
  readonly failed: (code: ErrorCode) => Cell;
  readonly refused: (code: ErrorCode) => Cell;
}

export function spoolFamilies(registry: Registry): (sink: string) => SpoolCells {
  const family = <L extends string>(name: string, help: string, ...labels: L[]) =>
    cellFamily({ name: `sluice_spool_${name}`, help, labels, registry });
  const records = family('records', 'Messages that lie in the spool for a sink.', 'sink');
  const bytes = family('bytes', 'Bytes of these messages.', 'sink');
  const oldest = family('oldest_seconds', 'Age of the oldest of them.', 'sink');
  const appended = family('appended_total', 'Messages put into the spool.', 'sink');
  const sent = family('sent_total', 'Messages of the spool that the sink has confirmed.', 'sink');
  const dropped = family('dropped_total', 'Messages of the spool given up for good.', 'sink', 'code');
  return sink => ({
    records: records({ sink }),
    bytes: bytes({ sink }),
    oldest: oldest({ sink }),
    appended: appended({ sink }),
    sent: sent({ sink }),
    dropped: code => dropped({ sink, code }),
  });
}

/** The same for frames that wait in the spool for the plugins of their route. */
export function parkedFamilies(registry: Registry): (route: string) => ParkedCells {
  const family = <L extends string>(name: string, help: string, ...labels: L[]) =>
    cellFamily({ name: `sluice_parked_${name}`, help, labels, registry });
  const records = family('frames', 'Frames on the disk that wait for the plugins of their route.', 'route');
  const bytes = family('bytes', 'Bytes of these frames.', 'route');
  const oldest = family('oldest_seconds', 'Age of the oldest of them.', 'route');
  const appended = family('appended_total', 'Frames put on the disk to wait for their plugins.', 'route');
  const sent = family(
    'returned_total',
    'Frames from there that have been through and are delivered.',
    'route',
  );
  const dropped = family('dropped_total', 'Frames from there that were given up for good.', 'route', 'code');
  const errors = family(
    'failures_total',
    'Tries to put such frames on the disk that failed.',
    'route',
    'code',
  );
  const refused = family(
    'refused_total',
    'Frames that could not be put there, and were refused: their sender was told, or they went into quarantine.',
    'route',
    'code',
  );
  return route => ({
    failed: code => errors({ route, code }),
    refused: code => refused({ route, code }),
    records: records({ route }),
    bytes: bytes({ route }),
    oldest: oldest({ route }),
    appended: appended({ route }),
    sent: sent({ route }),
    dropped: code => dropped({ route, code }),
  });
}

/** What lies in the spool for one sink, or for the plugins of one route, and what became of it. */
export class SpoolMetrics {
  readonly #cells: SpoolCells;

  constructor(cells: SpoolCells) {
    this.#cells = cells;
  }

  appended(count: number): void {
    this.#cells.appended.add(count);
  }

  sent(count: number): void {
    this.#cells.sent.add(count);
  }

  dropped(code: ErrorCode, count: number): void {
    this.#cells.dropped(code).add(count);
  }

  holds(records: number, bytes: number, oldestSeconds: number): void {
    this.#cells.records.set(records);
    this.#cells.bytes.set(bytes);
    this.#cells.oldest.set(oldestSeconds);
  }
}

/** The same of frames, which cannot wait for a disk in every case. */
export class ParkedMetrics extends SpoolMetrics {
  readonly #parked: ParkedCells;

  constructor(cells: ParkedCells) {
    super(cells);
    this.#parked = cells;
  }

  failed(code: ErrorCode): void {
    this.#parked.failed(code).add(1);
  }

  refused(code: ErrorCode): void {
    this.#parked.refused(code).add(1);
  }
}
