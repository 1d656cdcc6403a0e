import type { Fault } from '../../../runtime/index.js';
import type { PluginRestored } from '../../../sandbox/index.js';
import type { Metrics } from '../../telemetry/metrics.js';
import type { Reporter } from '../../telemetry/reporter.js';
import { versionOf } from './breaker-text.js';

/** Says in metrics and log what the plugins of one route that have a state go on from. */
export class StateReport {
  readonly #route: string;
  readonly #metrics: Metrics;
  readonly #report: Reporter;

  constructor(route: string, metrics: Metrics, report: Reporter) {
    this.#route = route;
    this.#metrics = metrics;
    this.#report = report;
  }

  restored({ plugin, generation, from, refused }: PluginRestored): void {
    const version = versionOf(generation, plugin);
    const isOwn = from?.generation === generation.number;
    const source =
      from === undefined
        ? 'nothing'
        : isOwn
          ? 'snapshot'
          : from.generation === 0
            ? 'disk'
            : 'generation-before';
    this.#metrics.plugin(plugin).restored(version, source);
    const who = `${plugin} ${version} (generation ${generation.number})`;
    const where = { route: this.#route, version };
    if (refused !== undefined) {
      this.#metrics.plugin(plugin).faulted(version, refused.code);
      const message = `${refused.message}; ${who} ${textOf(from)}`;
      this.#report.fault({ code: refused.code, message, plugin }, where);
    } else if (from === undefined || isOwn || from.behind > 0) {
      const message = `a fresh instance of ${who} ${textOf(from)}`;
      this.#report.fault({ code: 'SLUICE_STATE_RESTORED', message, plugin }, where);
    } else this.#report.info(`${who} ${textOf(from)}`, { ...where, plugin });
  }

  unsaved({ message }: Fault, plugin: string, version: string): void {
    const code = 'SLUICE_STATE_EXPORT';
    this.#metrics.plugin(plugin).faulted(version, code);
    const text = `${message}; it serves on, and no more snapshots of it are taken`;
    this.#report.fault({ code, message: text, plugin }, { route: this.#route, version }, 'error');
  }
}

function textOf(from: PluginRestored['from']): string {
  if (from === undefined) return 'begins without a state';
  const { generation, version, bytes, behind } = from;
  const age = behind === 0 ? '' : ` as it was ${behind} ${behind === 1 ? 'batch' : 'batches'} ago`;
  const whose = generation === 0 ? 'that was kept on the disk' : `of generation ${generation}`;
  return `goes on with the state ${whose}${age} (${bytes} bytes, version ${version} of its form)`;
}
