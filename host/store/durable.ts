import { join } from 'node:path';
import { faultOf, type Lifetimes } from '../../runtime/index.js';
import type { Config } from '../config/config.js';
import { Spool } from '../spool/spool.js';
import type { QuarantineMetrics } from '../telemetry/quarantine-metrics.js';
import type { Reporter } from '../telemetry/reporter.js';
import { DataFolder } from './data-folder.js';
import { QUARANTINE_SCHEMA, Quarantine } from './quarantine.js';
import { STATES_SCHEMA, States } from './states.js';
import { Store } from './store.js';

/** Share of the space on disk that the quarantine may take. */
const QUARANTINE_SHARE = 1 / 8;
/** And the spool, and what plugins remember; the rest is for the logs of all three, and for versions of plugins. */
const SPOOL_SHARE = 3 / 4;
const STATES_SHARE = 1 / 32;
const QUARANTINE_MOST = 256 * 2 ** 20;
/** A start waits so long for a spool that cannot be opened; then the gateway goes on without, and what is in it comes late. */
const SPOOL_PATIENCE_MS = 5_000;

export interface DurableParts {
  readonly data: Config['data'];
  readonly report: Reporter;
  readonly metrics: QuarantineMetrics;
  /** Closes what is forgotten. */
  readonly lifetimes: Lifetimes;
  /** Nobody waits any more for what is not open yet. */
  readonly signal?: AbortSignal | undefined;
}

/** What of a gateway outlives it: its data folder, and what is in it. Neither is there if the folder cannot be used. */
export class Durable {
  readonly folder: DataFolder | undefined;
  readonly quarantine: Quarantine | undefined;
  readonly spool: Spool | undefined;
  /** What plugins remember. */
  readonly states: States | undefined;
  readonly #close: () => Promise<void>;
  readonly #lifetimes: Lifetimes;

  private constructor(
    { lifetimes, data }: DurableParts,
    folder?: DataFolder,
    store?: Store,
    quarantine?: Quarantine,
    spool?: Spool,
    states?: States,
  ) {
    this.folder = folder;
    this.quarantine = quarantine;
    this.spool = spool;
    this.states = states;
    this.#lifetimes = lifetimes;
    this.#close = async () => {
      spool?.close();
      await states?.flush();
      await store?.close();
      folder?.close();
    };
    if (folder !== undefined) lifetimes.watch(this, 'data folder', data.dir, this.#close);
  }

  /**
   * A folder or a file that cannot be used costs what is durable, not the gateway: it is reported.
   * @throws SluiceError SLUICE_DATA_LOCKED, SLUICE_DATA_FORMAT
   */
  static async open(parts: DurableParts): Promise<Durable> {
    const folder = await openFolder(parts);
    if (folder === undefined) return new Durable(parts);
    const { report } = parts;
    const store = new Store({ fault: (fault, where) => report.fault(fault, where, 'error') });
    // Each file can be waited for; who is told to end meanwhile does not wait for the next.
    const isWanted = (): boolean => parts.signal?.aborted !== true;
    const quarantine = isWanted() ? await openQuarantine(store, parts) : undefined;
    const spool = isWanted() ? await openSpool(store, parts) : undefined;
    const states = isWanted() ? await openStates(store, parts) : undefined;
    return new Durable(parts, folder, store, quarantine, spool, states);
  }

  /** What was handed over is on the disk then. */
  async close(): Promise<void> {
    this.#lifetimes.closed(this);
    await this.#close();
  }
}

/** A file that cannot be opened is tried again by itself. */
async function openSpool(store: Store, { data, report, signal }: DurableParts): Promise<Spool> {
  const spool = new Spool({
    store,
    folder: data.dir,
    maxBytes: data.maxBytes * SPOOL_SHARE,
    failed: (fault, tries) => {
      // After many in a row it is news again, whatever was said of the first; from then on it repeats.
      const which = tries > 1 && !spool.isLate ? { tries: `${tries}` } : {};
      report.fault(fault, { file: 'spool.db', ...which }, 'error');
    },
    opened: failed =>
      report.info(`spool.db is open, after ${failed} tries that failed`, { file: 'spool.db' }),
  });
  await spool.open(SPOOL_PATIENCE_MS, signal);
  return spool;
}

async function openStates(store: Store, { data, report }: DurableParts): Promise<States | undefined> {
  const path = join(data.dir, 'states.db');
  try {
    const maxBytes = data.maxBytes * STATES_SHARE;
    return new States(await store.open({ path, schema: STATES_SCHEMA, maxBytes }), report);
  } catch (thrown) {
    report.fault(faultOf(thrown), { file: path }, 'error');
    return undefined;
  }
}

async function openFolder({ data, report }: DurableParts): Promise<DataFolder | undefined> {
  try {
    return await DataFolder.open(data.dir, report);
  } catch (thrown) {
    const fault = faultOf(thrown);
    if (fault.code !== 'SLUICE_DATA_FOLDER') throw thrown;
    report.fault(fault, {}, 'error');
    return undefined;
  }
}

async function openQuarantine(
  store: Store,
  { data, report, metrics }: DurableParts,
): Promise<Quarantine | undefined> {
  const maxBytes = Math.min(data.maxBytes * QUARANTINE_SHARE, QUARANTINE_MOST);
  const path = join(data.dir, 'quarantine.db');
  try {
    return await Quarantine.open(await store.open({ path, schema: QUARANTINE_SCHEMA, maxBytes }), metrics);
  } catch (thrown) {
    report.fault(faultOf(thrown), { file: path }, 'error');
    return undefined;
  }
}
