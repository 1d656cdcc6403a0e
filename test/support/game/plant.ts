import { type Connection, TestServer } from '../mqtt/mqtt-server.js';
import { frameOf } from './senders.js';

/** What came of one route: of each frame of each source its ids, one for each time that it came. */
class Arrivals {
  readonly ids = new Map<string, Map<number, string[]>>();
  /** Frames of each source in the order in which they came first. */
  readonly order = new Map<string, number[]>();
  /** These came with `sluice-late`. */
  readonly late = new Set<string>();
  /** These were replayed out of the quarantine. */
  readonly replayed = new Set<string>();
}

/** The broker to which the gateway delivers; it can be away, silent, or cut off. One prefix of topics a route. */
export class Plant {
  readonly port: number;
  readonly routes = new Map<string, Arrivals>();
  /** Times that what was under way had to be sent again. */
  breaks = 0;
  #server: TestServer | undefined;
  #isSilent = false;
  #held: (readonly [Connection, number])[] = [];

  constructor(port: number, routes: readonly string[]) {
    this.port = port;
    for (const route of routes) this.routes.set(route, new Arrivals());
  }

  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = await TestServer.start({ port: this.port });
    server.behaviour.puback = () => (this.#isSilent ? 'none' : 0);
    server.behaviour.onPublish = (packet, connection) => {
      if (this.#isSilent) this.#held.push([connection, packet.messageId as number]);
      const { 'sluice-id': id, 'sluice-late': late } = packet.properties?.userProperties ?? {};
      this.#take(packet.topic, packet.payload as Buffer, String(id), late !== undefined);
      server.published.length = 0;
    };
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#held = [];
    this.breaks++;
    await server?.stop();
  }

  cut(): void {
    this.breaks++;
    this.#held = [];
    this.#server?.cut();
  }

  silent(): void {
    this.#isSilent = true;
  }

  /** What was held back is confirmed late, or never, as the line breaks. */
  speak(late: boolean): void {
    if (!this.#isSilent) return;
    this.#isSilent = false;
    if (!late) {
      this.cut();
      return;
    }
    for (const [connection, messageId] of this.#held.splice(0))
      if (!connection.socket.destroyed) connection.send({ cmd: 'puback', messageId, reasonCode: 0 });
  }

  #take(topic: string, payload: Buffer, id: string, late: boolean): void {
    const [route = ''] = topic.split('/', 1);
    const arrivals = this.routes.get(route);
    if (arrivals === undefined) throw new Error(`a message of no route: ${topic}`);
    const { source, frame } = frameOf(payload);
    const ids = at(arrivals.ids, source, () => new Map<number, string[]>());
    const known = ids.get(frame);
    const key = `${source}:${frame}`;
    if (id.includes('~replay')) arrivals.replayed.add(key);
    if (late) arrivals.late.add(key);
    if (known !== undefined) known.push(id);
    else {
      ids.set(frame, [id]);
      at(arrivals.order, source, () => []).push(frame);
    }
  }
}

function at<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key) ?? make();
  map.set(key, known);
  return known;
}
