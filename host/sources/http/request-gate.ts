import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { faultOf, refuseHeaders } from '../../../runtime/index.js';
import type { PeerRates } from '../serve/peer-rates.js';
import type { Answers, PolicyInForce } from './answers.js';
import { badRequest } from './body.js';
import { topicBytes } from './http-names.js';
import { COME_AGAIN, type Refusal } from './refusal.js';

export interface GateParts {
  /** Of the source: the path is `/ingest/<name>`. */
  readonly name: string;
  /** What a request has to carry; undefined: any may come that does not come from a web page. */
  readonly token: string | undefined;
  /** Bytes. */
  readonly maxBody: number;
  readonly rates: PeerRates;
  readonly policy: PolicyInForce;
  readonly answers: Answers;
}

/** What is known of a request before its body: whether that is worth reading, and under which topic. */
export class RequestGate {
  readonly #parts: GateParts;
  readonly #token: Buffer | undefined;

  constructor(parts: GateParts) {
    this.#parts = parts;
    this.#token = parts.token === undefined ? undefined : sha256(parts.token);
  }

  /** The topic, or why the body need not be read. Who it is comes first: a stranger learns nothing else. @param now on the steady clock */
  judge(request: IncomingMessage, peer: string, now: number): Buffer | Refusal {
    const unknown = this.#judgeSender(request);
    if (unknown !== undefined) return unknown;
    const topic = this.#topicOf(request);
    if (!Buffer.isBuffer(topic)) return topic;
    return this.#judgeForm(request) ?? this.#judgeLoad(request, peer, now) ?? topic;
  }

  #judgeSender({ headers }: IncomingMessage): Refusal | undefined {
    if (this.#token === undefined) {
      // A page in somebody's browser can reach this machine's own addresses; it cannot leave this header out.
      if (headers.origin === undefined) return undefined;
      const message = 'the request comes from a web page, and the source has no `token`';
      return { status: 403, code: 'SLUICE_SOURCE_TOKEN', message };
    }
    const given = /^bearer +([^ ]+) *$/i.exec(headers.authorization ?? '')?.[1];
    if (timingSafeEqual(sha256(given ?? ''), this.#token) && given !== undefined) return undefined;
    const message =
      headers.authorization === undefined
        ? 'the request carries no token'
        : 'the token is not that of this source';
    const challenge = { 'www-authenticate': 'Bearer realm="sluice ingest"' };
    return { status: 401, code: 'SLUICE_SOURCE_TOKEN', message, headers: challenge };
  }

  #topicOf({ url = '' }: IncomingMessage): Buffer | Refusal {
    const { name } = this.#parts;
    const path = url.split('?', 1)[0]!;
    const base = `/ingest/${name}`;
    if (path !== base && !path.startsWith(`${base}/`))
      return badRequest(404, `there is no such path: this is POST ${base}`);
    const rest = path.slice(base.length).replace(/\/+$/, '');
    const none = 'the path gives no topic: it has no +, #, NUL, and its %-escapes are UTF-8';
    try {
      return topicBytes(`${name}${decodeURIComponent(rest)}`) ?? badRequest(400, none);
    } catch {
      return badRequest(400, none);
    }
  }

  #judgeForm({ method, headers, headersDistinct }: IncomingMessage): Refusal | undefined {
    if (method !== 'POST')
      return badRequest(405, `${method} is not taken here, only POST`, { allow: 'POST' });
    try {
      // Each value of a name that comes twice: of some of them `headers` has the first one only.
      refuseHeaders('request', headersDistinct, this.#parts.policy.current);
    } catch (thrown) {
      const { code, message } = faultOf(thrown);
      return { status: 400, code, message };
    }
    const coding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
    if (coding === 'identity' || coding === 'gzip') return undefined;
    const message = `the content coding ${JSON.stringify(coding.slice(0, 60))} is not taken, only gzip or none`;
    return badRequest(415, message, { 'accept-encoding': 'gzip, identity' });
  }

  #judgeLoad({ headers }: IncomingMessage, peer: string, now: number): Refusal | undefined {
    const { answers, maxBody, rates } = this.#parts;
    const unsaid = answers.cannotAccept;
    if (unsaid !== undefined) return { status: 503, ...unsaid, headers: COME_AGAIN };
    if (Number(headers['content-length'] ?? 0) > maxBody) {
      const message = `the body has ${headers['content-length']} bytes, and ${maxBody} are the most (\`maxBody\`)`;
      return { status: 413, code: 'SLUICE_FRAME_TOO_LARGE', message };
    }
    const tooMany = rates.take(peer, now);
    if (tooMany === undefined) return undefined;
    return { status: 429, code: 'SLUICE_SOURCE_RATE', message: tooMany, headers: COME_AGAIN };
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
