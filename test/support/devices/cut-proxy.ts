import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A line to a port of this machine that can be cut and mended. */
export class CutProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #pairs = new Map<Socket, Socket>();
  #isCut = false;
  #isHeld = false;

  private constructor(target: number) {
    this.#server = createServer({ noDelay: true }, near => {
      if (this.#isCut) {
        near.destroy();
        return;
      }
      const far = connect({ host: '127.0.0.1', port: target, noDelay: true });
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(socket);
        this.#pairs.set(socket, other);
        socket.on('error', () => {});
        socket.once('close', () => {
          this.#sockets.delete(socket);
          this.#pairs.delete(socket);
          other.destroy();
        });
        if (!this.#isHeld) socket.pipe(other);
      }
    });
  }

  static async start(target: number): Promise<CutProxy> {
    const proxy = new CutProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Nothing passes from now on. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  /** As a cable that is pulled: nothing arrives any more, and nobody is told. */
  hold(): void {
    this.#isHeld = true;
    for (const socket of this.#sockets) socket.unpipe();
  }

  /** What had been sent meanwhile arrives late, as TCP sends it again. */
  release(): void {
    this.#isHeld = false;
    for (const [socket, other] of this.#pairs) socket.pipe(other);
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }
}
