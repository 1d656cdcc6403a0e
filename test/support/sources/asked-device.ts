import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { blockOption } from '../../../host/protocols/coap/block.js';
import { CODE } from '../../../host/protocols/coap/code.js';
import { type Message, readMessage } from '../../../host/protocols/coap/message.js';
import { OPTION, type Option, option, uintOption } from '../../../host/protocols/coap/option.js';
import { type Outgoing, writeMessage } from '../../../host/protocols/coap/write-message.js';
import type { CoapClientConfig } from '../../../host/sources/coap-client/client-config.js';
import { CoapClient } from '../../../host/sources/coap-client/coap-client.js';
import { Waiting } from '../devices/gateway-peers.js';
import { RecordingIngress } from './recording-ingress.js';

/** A request that came, with the address of who asks. */
export interface Asked extends Message {
  readonly from: RemoteInfo;
}

/** A CoAP device by hand, which is asked: answers what the test wants, right or wrong, and keeps what comes. */
export class AskedDevice extends Waiting {
  readonly asked: Asked[] = [];
  /** Acknowledgements and resets, as `ack 7`. */
  readonly bare: string[] = [];
  onAsk: (ask: Asked) => void = () => {};
  readonly #socket = createSocket('udp4');

  static async open(t: TestContext): Promise<AskedDevice> {
    const device = new AskedDevice();
    device.#socket.on('message', (bytes, from) => {
      const message = readMessage(bytes);
      if (message.code === CODE.empty) device.bare.push(`${message.type} ${message.id}`);
      else {
        const ask = { ...message, from };
        device.asked.push(ask);
        device.onAsk(ask);
      }
      device.changed();
    });
    device.#socket.bind(0, '127.0.0.1');
    await once(device.#socket, 'listening');
    t.after(() => device.#socket.close());
    return device;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  raw({ from }: Asked, bytes: Uint8Array): void {
    this.#socket.send(bytes, from.port, from.address);
  }

  /** With the acknowledgement, unless it says otherwise. */
  answer(ask: Asked, payload: string | Buffer, answer: Partial<Outgoing> = {}): void {
    const { id, token } = ask;
    const body = Buffer.from(payload as string);
    this.raw(ask, writeMessage({ type: 'ack', id, code: CODE.content, token, payload: body, ...answer }));
  }

  /** The block that is asked for, of 16 bytes. */
  answerBlock(ask: Asked, whole: string, options: readonly Option[] = []): void {
    const number = ask.block2?.number ?? 0;
    const more = (number + 1) * 16 < whole.length;
    const block = blockOption(OPTION.block2, { number, more, size: 16 });
    this.answer(ask, whole.slice(number * 16, number * 16 + 16), { options: [...options, block] });
  }
}

/** A started client of one device on 127.0.0.1. */
export async function askedScene(t: TestContext, config: Partial<CoapClientConfig>) {
  const device = await AskedDevice.open(t);
  const ingress = new RecordingIngress();
  const client = new CoapClient(
    'meters',
    {
      devices: [{ host: '127.0.0.1', port: device.port }],
      poll: [],
      observe: [],
      timeoutMs: 2_000,
      graceMs: 30_000,
      reconnect: { minMs: 10, maxMs: 20 },
      ...config,
    },
    ingress,
  );
  t.after(() => client.stop());
  return { device, ingress, client };
}

export function etag(value: number): Option {
  return option(OPTION.etag, Buffer.from([value]));
}

export function observe(value: number): Option {
  return uintOption(OPTION.observe, value);
}

export function maxAge(seconds: number): Option {
  return uintOption(OPTION.maxAge, seconds);
}
