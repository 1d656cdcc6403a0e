import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../../../runtime/index.js';
import { PROBLEM_TYPE, problemJson } from './problem-json.js';

/** A peer that does not hang up after its answer gets this long. */
const GOODBYE_MS = 1_000;

/** How a server answers. */
export interface BrokenAnswer {
  readonly code: ErrorCode;
  /** The most that the headers of a request may have, KiB. */
  readonly headerKiB: number;
  readonly headers: Readonly<Record<string, string>>;
  /** False: the policy lets no document out. */
  readonly hasBody: boolean;
}

const ADMIN: BrokenAnswer = {
  code: 'SLUICE_ADMIN_REQUEST',
  headerKiB: 16,
  headers: { 'content-type': PROBLEM_TYPE, 'cache-control': 'no-store' },
  hasBody: true,
};

/** Answers with a problem document what never became a request, and closes. Source: RFC 9457. */
export function refuseBroken(error: NodeJS.ErrnoException, socket: Socket, answer = ADMIN): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, detail] = judged(error, answer);
  const title = STATUS_CODES[status] ?? 'Error';
  const body = answer.hasBody ? JSON.stringify(problemJson(status, title, detail, answer.code)) : '';
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    ...Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  const end = setTimeout(() => socket.destroy(), GOODBYE_MS).unref();
  socket.once('close', () => clearTimeout(end));
}

/** What `node:http` says of bytes that are no request, of a part of one, and of one that takes too long. */
function judged(
  { code = '', message }: NodeJS.ErrnoException,
  { headerKiB }: BrokenAnswer,
): readonly [status: number, detail: string] {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'the request did not come whole in time'];
  if (code === 'HPE_HEADER_OVERFLOW')
    return [431, `the headers of the request are larger than ${headerKiB} KiB`];
  if (code === 'HPE_INVALID_EOF_STATE') return [400, 'the request ended early'];
  return [400, `it is not HTTP: ${message}`];
}
