import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encodeBare, encodeData, encodeHello } from '../../../host/protocols/tunnel/encode.js';
import { FrameReader } from '../../../host/protocols/tunnel/frame-reader.js';
import { readClose, readWelcome } from '../../../host/protocols/tunnel/messages.js';
import { TYPE } from '../../../host/protocols/tunnel/wire.js';
import { Waiting } from './gateway-peers.js';

/** A tunnel client by hand: sends what the test wants, right or wrong, and keeps what it is told. */
export class TunnelPeer extends Waiting {
  readonly socket: Socket;
  /** `welcome TAKEN`, `ack N`, `pong N`, `close REASON TEXT`, in their order. */
  readonly told: string[] = [];
  closed = false;
  readonly #reader = new FrameReader(4096);

  private constructor(socket: Socket) {
    super();
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.changed();
    });
    socket.on('data', chunk => {
      this.#reader.feed(chunk);
      while (this.#reader.next()) this.told.push(this.#text());
      this.changed();
    });
  }

  static async connect(port: number): Promise<TunnelPeer> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true });
    await once(socket, 'connect');
    return new TunnelPeer(socket);
  }

  /** Connected and welcomed. */
  static async welcomed(port: number, client = 'press-4', session = 9, first = 1): Promise<TunnelPeer> {
    const peer = await TunnelPeer.connect(port);
    peer.hello({ client, session, first });
    await peer.hears(/^welcome/);
    return peer;
  }

  hello(fields: { client?: string; session?: number; first?: number; token?: string } = {}): void {
    this.socket.write(encodeHello({ client: 'press-4', session: 9, first: 1, token: '', ...fields }));
  }

  /** DATA frames with these sequences, all in one write; the payload is the sequence as text. */
  data(...sequences: number[]): void {
    this.socket.write(Buffer.concat(sequences.map(n => encodeData(n, { payload: Buffer.from(`${n}`) }))));
  }

  ping(sequence: number): void {
    this.socket.write(encodeBare(TYPE.ping, sequence));
  }

  async hears(text: RegExp): Promise<string> {
    const find = (): string | undefined => this.told.find(one => text.test(one));
    await this.until(
      () => `${text} (${this.told.join(', ')} came)`,
      () => find() !== undefined || this.closed,
    );
    const found = find();
    if (found === undefined) throw new Error(`closed without ${text} (${this.told.join(', ')} came)`);
    return found;
  }

  async isClosed(): Promise<void> {
    await this.until('the end of the connection', () => this.closed);
  }

  #text(): string {
    const { type, sequence } = this.#reader;
    if (type === TYPE.welcome) return `welcome ${readWelcome(this.#reader).taken}`;
    if (type === TYPE.ack) return `ack ${sequence}`;
    if (type === TYPE.pong) return `pong ${sequence}`;
    const { reason, text } = readClose(this.#reader);
    return `close ${reason} ${text}`;
  }
}
