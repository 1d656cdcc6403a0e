import type { Fault } from '../../../runtime/index.js';
import type { SandboxPool, SlotChange } from '../../../sandbox/index.js';
import type { PluginsConfig } from '../../config/config.js';
import type { Offer } from '../../plugins/offer.js';
import type { PolicyKeeper } from '../../policy/policy-keeper.js';
import type { Origins } from '../../sinks/message-id.js';
import type { Spool } from '../../spool/spool.js';
import type { Metrics } from '../../telemetry/metrics.js';
import type { Reporter } from '../../telemetry/reporter.js';
import type { Feed } from '../feed.js';
import type { Isolate, KeptStates, RouteSink } from '../route-parts.js';

/** What became of an offer at one route. */
export interface SwapOutcome {
  readonly offer: Offer;
  readonly route: string;
  /** Generation that serves this route now; 0: none ever has. */
  readonly generation: number;
  /** Why it was refused; undefined: it serves. */
  readonly fault?: Fault;
  /** It had served, and failed on probation. */
  readonly takenBack?: boolean;
}

export interface RouterParts {
  readonly plugins: PluginsConfig;
  readonly policy: PolicyKeeper;
  readonly pool: SandboxPool;
  readonly sinks: ReadonlyMap<string, RouteSink>;
  /** Sources by name, with their kind (the key of their configuration). */
  readonly feeds: ReadonlyMap<string, { readonly feed: Feed; readonly kind: string }>;
  readonly metrics: Metrics;
  readonly report: Reporter;
  readonly isolate: Isolate;
  readonly origins: () => Origins;
  readonly states: () => KeptStates | undefined;
  readonly spool: () => Spool | undefined;
  /** Files that were refused under another policy, and in whose place others have come: another chance for them. */
  readonly offerAgain: (offers: readonly Offer[]) => void;
  /** A source has got a route it did not have before. */
  readonly connected: () => void;
  /** Who serves a route has changed, or its breaker. */
  readonly changed: (route: string, change: SlotChange) => void;
  /** A swap has come to its end. */
  readonly swapped: (outcome: SwapOutcome) => void;
}
