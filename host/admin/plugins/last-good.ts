import { type Fault, faultOf } from '../../../runtime/index.js';
import type { Catalog } from '../../plugins/catalog.js';
import type { Router } from '../../route/router/router.js';
import type { Reporter } from '../../telemetry/reporter.js';
import type { PluginBoard } from './plugin-board.js';
import type { Kept, PluginStore } from './plugin-store.js';

export interface LastGoodParts {
  readonly store: PluginStore;
  readonly board: PluginBoard;
  readonly router: Router;
  readonly catalog: Catalog;
  readonly report: Reporter;
  /** Runs it when no change is under way that somebody has asked for. */
  readonly between: (work: () => Promise<void>) => Promise<void>;
}

/**
 * Where the file of a plugin is refused and no version of it is in memory, as after a start, the version that served
 * last takes its place, judged anew. A file that is not there was removed: nothing takes its place.
 */
export class LastGood {
  readonly #parts: LastGoodParts;
  #open = false;

  constructor(parts: LastGoodParts) {
    this.#parts = parts;
  }

  /** When all files that were there at the start have been dealt with. */
  async start(): Promise<void> {
    this.#open = true;
    await this.consider();
  }

  /** A file or a version has been refused. */
  async consider(): Promise<void> {
    if (!this.#open || ![...this.#parts.store.all()].some(each => this.#refusal(...each))) return;
    await this.#parts.between(async () => {
      for (const [plugin, kept] of this.#parts.store.all()) {
        const refusal = this.#refusal(plugin, kept);
        if (refusal !== undefined) await this.#use(plugin, kept, refusal);
      }
    });
  }

  stop(): void {
    this.#open = false;
  }

  /** Why this plugin does not run at all; undefined: it does, or nobody has put it there. */
  #refusal(plugin: string, kept: Kept): Fault | undefined {
    const { board, router } = this.#parts;
    const offer = router.offers.get(plugin);
    if (offer === undefined) return kept.from === undefined ? undefined : board.refusalOfFile(kept.from);
    const serves = router.status().some(({ serving }) => serving.has(plugin));
    return serves || offer.fileHash.toString('hex') === kept.file ? undefined : board.refusalOf(plugin);
  }

  async #use(plugin: string, kept: Kept, refusal: Fault): Promise<void> {
    const { store, catalog, router, report } = this.#parts;
    const { from = `${plugin}.wasm`, version } = kept;
    try {
      const { bytes, signatures } = await store.read(kept);
      const offer = await catalog.kept(from, bytes, signatures);
      if (!this.#open || this.#refusal(plugin, kept) === undefined) return;
      const words = `${from} is refused; version ${version} of ${plugin}, which served last, takes its place`;
      report.info(words, { plugin, version });
      router.offered(offer);
    } catch (thrown) {
      const { code, message } = faultOf(thrown);
      if (code === refusal.code) return;
      const words = `version ${version} of ${plugin}, which served last, cannot take the place of ${from}: ${message}`;
      report.fault({ code, message: words, plugin }, { file: from }, 'error');
    }
  }
}
