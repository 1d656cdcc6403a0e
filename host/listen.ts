import type { AddressInfo, Server } from 'node:net';
import { SluiceError } from '../runtime/index.js';

export interface ListenAddress {
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
}

/**
 * Listens, and gives the port.
 * @param who for messages, "the embedded broker"
 * @param setting where the address stands in the configuration
 * @throws SluiceError SLUICE_LISTEN_IN_USE, SLUICE_LISTEN_FAILED
 */
export function listen(
  server: Server,
  { host, port }: ListenAddress,
  who: string,
  setting: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const code = error.code === 'EADDRINUSE' ? 'SLUICE_LISTEN_IN_USE' : 'SLUICE_LISTEN_FAILED';
      const message = `${who} cannot listen on ${host}:${port} (\`${setting}\`): ${error.message}`;
      reject(new SluiceError(code, message, { cause: error }));
    };
    server.once('error', failed);
    server.listen({ host, port }, () => {
      server.removeListener('error', failed);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
