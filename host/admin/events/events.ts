import type { ErrorCode } from '../../../runtime/index.js';

/** What /v1/events tells of. */
export type AdminEvent =
  | {
      readonly type: 'plugin.offered';
      readonly plugin: string;
      readonly version: string;
      readonly file: string;
    }
  | {
      readonly type: 'plugin.serving';
      readonly plugin: string;
      readonly version: string;
      readonly route: string;
      readonly generation: number;
    }
  | ({
      readonly type: 'plugin.refused';
      readonly plugin?: string;
      readonly file: string;
      readonly route?: string;
    } & Reason)
  | ({ readonly type: 'plugin.faulted'; readonly plugin: string; readonly route?: string } & Reason)
  | ({
      readonly type: 'frame.quarantined';
      readonly id: number;
      readonly plugin: string;
      readonly source: string;
      readonly route: string;
    } & Reason)
  /** Its circuit breaker: it is not called any more. */
  | ({ readonly type: 'breaker.opened'; readonly plugin: string; readonly route: string } & Reason)
  /** A version failed soon after it took over; the one before serves again. */
  | ({
      readonly type: 'plugin.rolled-back';
      readonly plugin: string;
      readonly route: string;
      readonly generation: number;
    } & Reason)
  /** It is tried again; it serves again. */
  | {
      readonly type: 'breaker.half-open' | 'breaker.closed';
      readonly plugin: string;
      readonly route: string;
    }
  | { readonly type: 'plugin.disabled' | 'plugin.enabled' | 'plugin.removed'; readonly plugin: string }
  | { readonly type: 'policy.changed'; readonly version: number }
  /** Its file cannot be used; the policy before it stays in force. */
  | ({ readonly type: 'policy.refused'; readonly file: string } & Reason)
  | { readonly type: 'route.full' | 'route.flowing'; readonly route: string }
  | { readonly type: 'source.connected'; readonly source: string; readonly peer: string }
  | ({ readonly type: 'source.failed'; readonly source: string } & Reason)
  | { readonly type: 'sink.connected'; readonly sink: string }
  | ({ readonly type: 'sink.failed'; readonly sink: string } & Reason);

export interface Reason {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Goes from the gateway to whoever listens, at once and in order. */
export class EventHub {
  readonly #listeners = new Set<(event: AdminEvent) => void>();

  emit(event: AdminEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  /** Gives the function that ends it. */
  listen(listener: (event: AdminEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
