import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  allowedHeaders,
  type Direction,
  faultOf,
  type Headers,
  type Policy,
  refuseHeaders,
  type SluiceError,
} from '../../../runtime/index.js';
import type { Metrics } from '../../telemetry/metrics.js';
import type { Reporter } from '../../telemetry/reporter.js';
import { drained } from './body.js';
import { PROBLEM_TYPE, problemJson } from './problem-json.js';

export interface HeaderPoliceParts {
  readonly policy: { readonly current: Policy };
  readonly metrics: Metrics;
  readonly report: Reporter;
}

/** Holds the headers of HTTP messages about plugins against the policy of the moment; every refusal is counted. */
export class HeaderPolice {
  readonly #parts: HeaderPoliceParts;

  constructor(parts: HeaderPoliceParts) {
    this.#parts = parts;
  }

  /** Before the body is read. @throws SluiceError SLUICE_HEADER_REQUEST */
  async request(request: FastifyRequest): Promise<void> {
    const refusal = this.#judge('request', request.raw.headersDistinct);
    if (refusal === undefined) return;
    await drained(request.raw);
    throw refusal;
  }

  /** Before an answer leaves: one that is not allowed is dropped, and a problem goes in its place. */
  response(reply: FastifyReply, payload: unknown): unknown {
    const refusal = this.#judge('response', reply.getHeaders());
    if (refusal === undefined) return payload;
    this.#parts.report.fault(faultOf(refusal), {}, 'error');
    for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name);
    const own = { 'content-type': PROBLEM_TYPE, 'cache-control': 'no-store' };
    reply.code(500).headers(allowedHeaders('response', own, this.#parts.policy.current));
    return JSON.stringify(problemJson(500, 'Internal Server Error', refusal.message, refusal.code));
  }

  /**
   * Before an answer leaves that is written as it comes, past the framework.
   * @throws SluiceError SLUICE_HEADER_RESPONSE
   */
  stream(headers: Headers): void {
    const refusal = this.#judge('response', headers);
    if (refusal !== undefined) throw refusal;
  }

  #judge(direction: Direction, headers: Headers): SluiceError | undefined {
    try {
      refuseHeaders(direction, headers, this.#parts.policy.current);
      return undefined;
    } catch (thrown) {
      const error = thrown as SluiceError;
      this.#parts.metrics.httpRefused(direction, error.code);
      return error;
    }
  }
}
