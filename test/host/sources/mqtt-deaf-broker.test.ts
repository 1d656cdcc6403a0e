import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { mock, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { generate } from 'mqtt-packet';
import { numberedMessage, withSource } from '../../support/mqtt/mqtt-source-rig.js';

const COUNT = 40_000;
/** What a socket buffers before it says that it is full, and the acknowledgements of what was in hand then. */
const MOST_BYTES = 65_536 + 5 * 1_024;

/** Source sockets that pass nothing on once `isDeaf` says so, as to a peer that never reads; `hear` passes on what waited. */
class Deaf {
  isDeaf = false;
  socket: Socket | undefined;
  #hear: (() => void) | undefined;

  readonly made = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    if (this.socket !== undefined) return;
    this.socket = socket;
    const writev = socket._writev!.bind(socket);
    socket._writev = (chunks, done) => {
      if (this.isDeaf) this.#hear = () => writev(chunks, done);
      else writev(chunks, done);
    };
    // Without it all that is written goes through `_writev`.
    socket._write = (chunk, encoding, done) => socket._writev!([{ chunk, encoding }], done);
  };

  hear(): void {
    this.isDeaf = false;
    this.#hear?.();
  }
}

/** A source whose broker stops reading after it has sent many messages, each delivered as soon as it is taken. */
async function deafScene(body: (scene: DeafScene) => Promise<void>): Promise<void> {
  const deaf = new Deaf();
  subscribe('net.client.socket', deaf.made);
  try {
    await withSource({ sessions: true }, { window: 1_024, keepAliveS: 60 }, async rig => {
      const connection = await rig.subscribed();
      unsubscribe('net.client.socket', deaf.made);
      deaf.isDeaf = true;
      const all = Array.from({ length: COUNT }, (_, n) =>
        generate(numberedMessage(n + 1), { protocolVersion: 5 }),
      );
      connection.raw(Buffer.concat(all));
      while (!deaf.socket!.writableNeedDrain) {
        rig.source.delivered(rig.ingress.frames.length);
        await turn();
      }
      await body({ ...rig, deaf });
    });
  } finally {
    unsubscribe('net.client.socket', deaf.made);
  }
}

type DeafScene = Parameters<Parameters<typeof withSource>[2]>[0] & { readonly deaf: Deaf };

test('from a broker that does not read its acknowledgements nothing more is read, and all of it comes once it does', async () => {
  await deafScene(async ({ deaf, ingress, source, server }) => {
    const { socket } = deaf;
    // Each turn that reads takes thousands of messages.
    for (let n = 0; n < 30; n++) {
      source.delivered(ingress.frames.length);
      await turn();
    }
    assert.ok(ingress.frames.length < COUNT - 10_000, `${ingress.frames.length} were taken`);
    assert.ok(socket!.writableLength <= MOST_BYTES, `${socket!.writableLength} bytes wait`);
    deaf.hear();
    while (server.acknowledged.length < COUNT) {
      source.delivered(ingress.frames.length);
      await turn();
    }
    assert.equal(ingress.frames.length, COUNT);
    assert.deepEqual(server.acknowledged.at(-1), [COUNT, 0]);
  });
});

test('a broker that reads nothing for longer than the keep-alive is given up, and it is said why', async () => {
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    await deafScene(async ({ ingress }) => {
      mock.timers.tick(60_000 * 2.5);
      await ingress.until(() => ingress.faultsOf('SLUICE_SOURCE_DISCONNECTED').length > 0);
      assert.match(ingress.faultsOf('SLUICE_SOURCE_DISCONNECTED')[0]!, /does not read what it is sent/);
    });
  } finally {
    mock.timers.reset();
  }
});
