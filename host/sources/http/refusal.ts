import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Fault } from '../../../runtime/index.js';
import { PROBLEM_TYPE, problemJson } from '../../admin/problem-json.js';

/** Why a request is not taken, as the sender is told. */
export interface Refusal {
  readonly status: number;
  readonly code: Fault['code'];
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** For a request that may be sent again. Source: RFC 9110, 10.2.3. */
export const COME_AGAIN = { 'retry-after': '1' } as const;

/** Answers with a problem document. Source: RFC 9457. */
export function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const { status, code, message, headers = {} } = refusal;
  if (response.headersSent || response.destroyed) return;
  const body = JSON.stringify(problemJson(status, STATUS_CODES[status] ?? 'Error', message, code));
  // A body that is not read would be taken for the next request.
  const rest = request.complete ? {} : { connection: 'close' };
  response
    .writeHead(status, {
      'content-type': PROBLEM_TYPE,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      ...headers,
      ...rest,
    })
    .end(body);
}
