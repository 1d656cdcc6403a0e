import type { IncomingMessage } from 'node:http';
import { createGunzip, type Gunzip } from 'node:zlib';
import type { Refusal } from './refusal.js';

export interface BodyLimits {
  /** Most bytes, packed and unpacked. */
  readonly maxBody: number;
  /** Bytes more (or less) in hand; false: too many. */
  holds(bytes: number, peer: string): boolean;
  /** The sender went away after this many bytes. */
  gone(bytes: number, peer: string): void;
}

const GZIP_CHUNK = 16_384;

/**
 * The body of a request, unpacked. What it may cost is looked at chunk by chunk, before and after unpacking:
 * a gzip bomb is stopped at `maxBody`. One of `done`, `refused` and `limits.gone` is called. The bytes of a body that
 * is done are held until the caller gives them back.
 */
export function readBody(
  request: IncomingMessage,
  peer: string,
  limits: BodyLimits,
  done: (body: Buffer) => void,
  refused: (refusal: Refusal) => void,
): void {
  const gunzip = isGzip(request) ? createGunzip({ chunkSize: GZIP_CHUNK }) : undefined;
  const chunks: Buffer[] = [];
  let size = 0;
  let packed = 0;
  let over = false;
  let isRead = false;
  const finish = (): void => {
    over = true;
    gunzip?.destroy();
    request.off('data', take).off('end', ended).off('close', gone);
  };
  const fail = (refusal: Refusal): void => {
    if (over) return;
    finish();
    limits.holds(-size, peer);
    request.resume();
    refused(refusal);
  };
  const keep = (chunk: Buffer): void => {
    if (over) return;
    size += chunk.length;
    const fits = limits.holds(chunk.length, peer);
    if (size > limits.maxBody) fail(tooLarge(limits.maxBody));
    else if (!fits) fail(noMemory());
    else chunks.push(chunk);
  };
  const complete = (): void => {
    if (over) return;
    finish();
    done(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
  };
  const take = (chunk: Buffer): void => {
    if (gunzip === undefined) {
      keep(chunk);
      return;
    }
    packed += chunk.length;
    if (packed > limits.maxBody) fail(tooLarge(limits.maxBody));
    else if (!gunzip.write(chunk)) waitFor(gunzip, request);
  };
  const ended = (): void => {
    isRead = true;
    if (gunzip === undefined) complete();
    else gunzip.end();
  };
  const gone = (): void => {
    // One that has come whole and waits to be unpacked ends here too: nothing more of it is read.
    if (over || isRead) return;
    finish();
    limits.holds(-size, peer);
    limits.gone(size, peer);
  };
  gunzip?.on('data', keep).on('end', complete);
  gunzip?.on('error', error => fail(badRequest(400, `the body is no gzip: ${error.message}`)));
  request.on('data', take).on('end', ended).on('close', gone);
}

function waitFor(gunzip: Gunzip, request: IncomingMessage): void {
  request.pause();
  gunzip.once('drain', () => request.resume());
}

function isGzip({ headers }: IncomingMessage): boolean {
  return headers['content-encoding']?.trim().toLowerCase() === 'gzip';
}

export function badRequest(status: number, message: string, headers: Record<string, string> = {}): Refusal {
  return { status, code: 'SLUICE_SOURCE_REQUEST', message, headers };
}

function tooLarge(most: number): Refusal {
  return {
    status: 413,
    code: 'SLUICE_FRAME_TOO_LARGE',
    message: `the body has more than ${most} bytes (\`maxBody\`)`,
  };
}

export function noMemory(): Refusal {
  const message =
    'the requests in hand, or those of this address, use all the memory that they may (`memory`)';
  return { status: 503, code: 'SLUICE_SOURCE_MEMORY', message, headers: { 'retry-after': '1' } };
}
