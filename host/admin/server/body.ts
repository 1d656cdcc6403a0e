import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { SluiceError } from '../../../runtime/index.js';

/** A client that is refused gets this long to send the rest. */
const DRAIN_MS = 10_000;

/**
 * The bytes of a body as they come, its coding undone. Source: RFC 9110, 8.4.1.
 * @param coding Content-Encoding, which the policy has allowed
 * @throws SluiceError SLUICE_ADMIN_ENCODING, SLUICE_ADMIN_REQUEST if it ends early
 */
export function decoded(body: Readable, coding = 'identity'): AsyncGenerator<Buffer> {
  const name = coding.trim().toLowerCase();
  if (name === 'identity') return arriving(body);
  if (name === 'gzip' || name === 'x-gzip') return gunzipped(body);
  throw new SluiceError(
    'SLUICE_ADMIN_ENCODING',
    `Content-Encoding: ${coding.slice(0, 60)} is not undone here`,
  );
}

/**
 * Reads on and forgets it: many clients read an answer only once they have sent all, and a connection that is
 * closed on them before takes the answer with it.
 */
export async function drained(body: Readable): Promise<void> {
  body.resume();
  if (body.readableEnded || body.destroyed) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, DRAIN_MS);
  for (const event of ['end', 'close', 'error']) body.once(event, () => resolve());
  await promise;
  clearTimeout(timer);
}

/** A body of text. @throws SluiceError as `decoded`; SLUICE_ADMIN_REQUEST if it is too long or not UTF-8 */
export async function textOf(body: Readable, most: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of arriving(body)) {
    size += chunk.length;
    if (size <= most) chunks.push(chunk);
  }
  if (size > most)
    throw new SluiceError('SLUICE_ADMIN_REQUEST', `the body has ${size} bytes, ${most} is the most`);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new SluiceError('SLUICE_ADMIN_REQUEST', 'the body is not UTF-8 text', { cause });
  }
}

async function* arriving(body: Readable): AsyncGenerator<Buffer> {
  try {
    yield* body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch (thrown) {
    throw endedEarly(thrown);
  }
}

async function* gunzipped(body: Readable): AsyncGenerator<Buffer> {
  const gunzip = createGunzip();
  const cut = (error: Error): void => void gunzip.destroy(error);
  body.once('error', cut).pipe(gunzip);
  try {
    yield* gunzip as AsyncIterable<Buffer>;
  } catch (thrown) {
    const { code = '', message } = thrown as NodeJS.ErrnoException;
    if (!code.startsWith('Z_')) throw endedEarly(thrown);
    throw new SluiceError('SLUICE_ADMIN_ENCODING', `the body is not gzip as it says: ${message}`, {
      cause: thrown,
    });
  } finally {
    // The connection stays: it has an answer to carry.
    body.off('error', cut).unpipe(gunzip);
    gunzip.destroy();
  }
}

function endedEarly(cause: unknown): SluiceError {
  return new SluiceError('SLUICE_ADMIN_REQUEST', `the body ended early: ${(cause as Error).message}`, {
    cause,
  });
}
