import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './program.js';

/** Paths of PEM files. */
export interface Certificates {
  readonly ca: string;
  readonly server: Pair;
  readonly client: Pair;
  /** Of another authority, which nobody here trusts. */
  readonly stranger: Pair;
}

export interface Pair {
  readonly cert: string;
  readonly key: string;
}

/** An authority, a server for `localhost` and a client, made on the spot by openssl and good for two days. */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const ca = await authority(folder, 'ca');
  const other = await authority(folder, 'other');
  return {
    ca: ca.cert,
    server: await signed(folder, 'server', ca, 'localhost'),
    client: await signed(folder, 'client', ca, 'gateway-7'),
    stranger: await signed(folder, 'stranger', other, 'stranger'),
  };
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

async function authority(folder: string, name: string): Promise<Pair> {
  const pair = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const out = ['-days', '2', '-subj', `/CN=${name}`, '-keyout', pair.key, '-out', pair.cert];
  await runProgram('/usr/bin/openssl', ['req', '-x509', ...KEY, ...out]);
  return pair;
}

async function signed(folder: string, name: string, issuer: Pair, subject: string): Promise<Pair> {
  const pair = { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const request = join(folder, `${name}.csr`);
  const extensions = join(folder, `${name}.ext`);
  await writeFile(extensions, `subjectAltName=DNS:${subject}\n`);
  await runProgram('/usr/bin/openssl', [
    ...['req', ...KEY, '-subj', `/CN=${subject}`, '-keyout', pair.key, '-out', request],
  ]);
  await runProgram('/usr/bin/openssl', [
    ...['x509', '-req', '-days', '2', '-CAcreateserial', '-CA', issuer.cert, '-CAkey', issuer.key],
    ...['-in', request, '-out', pair.cert, '-extfile', extensions],
  ]);
  return pair;
}
