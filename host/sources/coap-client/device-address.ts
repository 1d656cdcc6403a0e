import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Peer } from '../coap/datagrams.js';

/** Where a device is: a name is looked up, and may stand for another address later. */
export class DeviceAddress {
  readonly #host: string;
  readonly #port: number;
  #peer: Peer | undefined;
  #isLookedUp = false;
  /** Of several addresses each gets its turn: the device may listen on one of them only. */
  #turn = 0;

  constructor(host: string, port: number) {
    this.#host = host;
    this.#port = port;
    if (isIP(host) !== 0) this.#peer = { address: canonical(host), port };
  }

  /** Undefined: not known yet. */
  get peer(): Peer | undefined {
    return this.#peer;
  }

  is({ address, port }: Peer): boolean {
    return this.#peer?.address === address && this.#peer.port === port;
  }

  /** Looks the name up, unless that is under way. @param failed why it cannot be */
  lookUp(failed: (why: string) => void): void {
    if (this.#peer !== undefined || this.#isLookedUp) return;
    this.#isLookedUp = true;
    lookup(this.#host, { all: true }).then(
      found => {
        this.#isLookedUp = false;
        const { address } = found[this.#turn % found.length]!;
        this.#peer = { address, port: this.#port };
      },
      (thrown: Error) => {
        this.#isLookedUp = false;
        failed(thrown.message);
      },
    );
  }

  /** A name is looked up again before the next request. */
  doubt(): void {
    if (isIP(this.#host) !== 0) return;
    this.#peer = undefined;
    this.#turn += 1;
  }
}

/** As the system writes it, to compare it with the senders of datagrams. */
function canonical(address: string): string {
  const isPlain = isIP(address) === 4 || address.includes('%');
  return isPlain ? address : new URL(`http://[${address}]`).hostname.slice(1, -1);
}
