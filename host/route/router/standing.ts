import type { SluiceError } from '../../../runtime/index.js';
import type { Offer } from '../../plugins/offer.js';
import type { SignatureGate } from '../../plugins/signing/signature-gate.js';
import type { Reporter } from '../../telemetry/reporter.js';
import type { Router } from './router.js';

export interface StandingParts {
  readonly router: Router;
  readonly gate: SignatureGate;
  readonly report: Reporter;
  /** A plugin has been stopped. */
  readonly stopped: (offer: Offer, error: SluiceError) => void;
}

/** Other keys are trusted or revoked than before: what runs is held against them, and stopped if its key is revoked. */
export function applyKeys({ router, gate, report, stopped }: StandingParts): void {
  const running = router.status().flatMap(({ serving }) => [...serving.values()]);
  for (const offer of new Set([...running, ...router.offers.values()])) {
    const standing = gate.standing(offer);
    if (standing.may === 'run') continue;
    const { name: plugin, file } = offer;
    const fault = { ...standing.error.toFault(), plugin };
    if (standing.may === 'not be loaded') report.fault(fault, { file });
    else {
      report.fault({ ...fault, message: `${fault.message}: it is stopped` }, { file }, 'error');
      void router.forget(plugin);
      stopped(offer, standing.error);
    }
  }
}
