import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { allowedHeaders, type Fault, faultOf, type Policy, refuseHeaders } from '../../../runtime/index.js';
import { refuseBroken } from '../../admin/server/broken-request.js';
import { PROBLEM_TYPE, problemJson } from '../../admin/server/problem-json.js';
import type { Delivery } from './delivery.js';
import type { Refusal } from './refusal.js';

/** What HTTP messages are held against. */
export interface PolicyInForce {
  readonly current: Policy;
}

/** Headers by name in lower case. */
type Fields = Readonly<Record<string, string>>;

/**
 * What a sender is told. No header leaves that the policy does not allow: an answer with one is dropped, and what goes
 * in its place has the same status, the headers that are allowed, and no body. Whether frames were taken is in the
 * status, so nothing that was delivered is sent again for the sake of a header; Content-Length and Connection belong to
 * the framing of HTTP and are always there.
 */
export class Answers {
  readonly #policy: PolicyInForce;
  readonly #dropped: (fault: Fault) => void;
  #judged: { readonly policy: Policy; readonly refusal: Fault | undefined } | undefined;

  /** @param dropped an answer was, with the reason */
  constructor(policy: PolicyInForce, dropped: (fault: Fault) => void) {
    this.#policy = policy;
    this.#dropped = dropped;
  }

  /** Why a sender whose frames were taken could not be told so: then they are not taken. Looked at once for each policy. */
  get cannotAccept(): Fault | undefined {
    const { current } = this.#policy;
    if (this.#judged?.policy !== current) {
      this.#judged = { policy: current, refusal: judged({ ...ACCEPTED, ...ASYNC }, current) };
    }
    return this.#judged.refusal;
  }

  accept({ response, taken, isAsync }: Delivery): void {
    if (response.destroyed) return;
    const headers = isAsync ? { ...ACCEPTED, ...ASYNC } : ACCEPTED;
    this.#send(response, 202, headers, JSON.stringify({ frames: taken }), {});
  }

  /** Answers with a problem document. Source: RFC 9457. */
  refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
    const { status, code, message, headers = {} } = refusal;
    if (response.headersSent || response.destroyed) return;
    const body = JSON.stringify(problemJson(status, STATUS_CODES[status] ?? 'Error', message, code));
    // A body that is not read would be taken for the next request.
    const framing = request.complete ? {} : { connection: 'close' };
    this.#send(response, status, { ...PROBLEM, ...headers }, body, framing);
  }

  /** What never became a request. */
  refuseBroken(error: NodeJS.ErrnoException, socket: Socket, code: Fault['code'], headerKiB: number): void {
    const { current } = this.#policy;
    const headers = allowedHeaders('response', PROBLEM, current) as Fields;
    refuseBroken(error, socket, {
      code,
      headerKiB,
      headers,
      hasBody: judged(PROBLEM, current) === undefined,
    });
  }

  #send(response: ServerResponse, status: number, headers: Fields, body: string, framing: Fields): void {
    const { current } = this.#policy;
    const refusal = judged(headers, current);
    if (refusal === undefined) {
      const length = { 'content-length': Buffer.byteLength(body) };
      response.writeHead(status, { ...headers, ...length, ...framing }).end(body);
      return;
    }
    this.#dropped(refusal);
    const kept = allowedHeaders('response', headers, current);
    response.writeHead(status, { ...kept, 'content-length': 0, ...framing }).end();
  }
}

const ACCEPTED: Fields = { 'content-type': 'application/json', 'cache-control': 'no-store' };
const ASYNC: Fields = { 'preference-applied': 'respond-async' };
const PROBLEM: Fields = { 'content-type': PROBLEM_TYPE, 'cache-control': 'no-store' };

function judged(headers: Fields, policy: Policy): Fault | undefined {
  try {
    refuseHeaders('response', headers, policy);
    return undefined;
  } catch (thrown) {
    return faultOf(thrown);
  }
}
