import type { CatalogEvents } from './plugins/catalog.js';
import type { Router } from './route/router/router.js';
import type { Metrics } from './telemetry/metrics.js';
import type { Reporter } from './telemetry/reporter.js';

export interface CatalogNewsParts {
  readonly router: Pick<Router, 'offered' | 'offers' | 'uses'>;
  readonly metrics: Pick<Metrics, 'fileRefused'>;
  readonly report: Pick<Reporter, 'info' | 'refused'>;
  /** Of the admin API, which hears of everything first. */
  readonly shown: () => CatalogEvents;
  /** Nothing comes to the routes any more. */
  readonly isStopped: () => boolean;
}

/** What a gateway does about news of its plugin folder. */
export function catalogNews(parts: CatalogNewsParts): CatalogEvents {
  const { router, metrics, report, shown, isStopped } = parts;
  return {
    offered: offer => {
      shown().offered(offer);
      if (!isStopped()) router.offered(offer);
    },
    gone: (name, file) => {
      shown().gone(name, file);
      if (name === undefined) return;
      const still = router.offers.get(name)?.file === file;
      let then = 'no route uses it';
      if (router.uses(name)) {
        then = still
          ? 'the version of it in memory serves on until the gateway stops'
          : 'its routes wait for another file';
      }
      report.info(`${file} (${name}) is gone; ${then}`, { plugin: name });
    },
    refused: (file, error) => {
      metrics.fileRefused(error.code);
      shown().refused(file, error);
      if (!isStopped()) report.refused(error.toFault(), { file });
    },
    back: folder => {
      shown().back(folder);
      report.info(`the plugin folder ${folder} is there again`);
    },
  };
}
