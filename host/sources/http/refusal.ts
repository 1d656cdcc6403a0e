import type { Fault } from '../../../runtime/index.js';

/** Why a request is not taken, as the sender is told. */
export interface Refusal {
  readonly status: number;
  readonly code: Fault['code'];
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** For a request that may be sent again. Source: RFC 9110, 10.2.3. */
export const COME_AGAIN = { 'retry-after': '1' } as const;
