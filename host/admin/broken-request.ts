import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { PROBLEM_TYPE, problemJson } from './problem-json.js';

/** A peer that does not hang up after its answer gets this long. */
const GOODBYE_MS = 1_000;

/** What `node:http` says of bytes that are no request, of a part of one, and of one that takes too long. */
const BROKEN: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not come whole in time'],
  HPE_HEADER_OVERFLOW: [431, 'the headers of the request are larger than 16 KiB'],
  HPE_INVALID_EOF_STATE: [400, 'the request ended early'],
};

/** Answers with a problem document what never became a request, and closes. Source: RFC 9457. */
export function refuseBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, detail] = BROKEN[error.code ?? ''] ?? [400, `it is not HTTP: ${error.message}`];
  const title = STATUS_CODES[status] ?? 'Error';
  const body = JSON.stringify(problemJson(status, title, detail, 'SLUICE_ADMIN_REQUEST'));
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'cache-control: no-store',
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  const end = setTimeout(() => socket.destroy(), GOODBYE_MS).unref();
  socket.once('close', () => clearTimeout(end));
}
