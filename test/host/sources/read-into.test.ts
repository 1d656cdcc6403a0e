import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { readInto } from '../../../host/sources/serve/read-into.js';

/** The two ends of a connection. */
async function pair(t: TestContext): Promise<{ client: Socket; accepted: Socket }> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  t.after(() => {
    client.destroy();
    accepted.destroy();
    server.close();
  });
  return { client, accepted };
}

test('an accepted socket reads into the memory that it is given, also after a pause, and ends as ever', async t => {
  const { client, accepted } = await pair(t);
  const memory = new Uint8Array(64);
  const came: string[] = [];
  let told = (): void => {};
  const next = (): Promise<void> =>
    new Promise(resolve => {
      told = resolve;
    });
  const lent = readInto(accepted, memory, (bytes, length) => {
    assert.equal(bytes, memory);
    came.push(Buffer.from(bytes.subarray(0, length)).toString());
    told();
  });
  assert.equal(lent, true, 'this Node.js has no such memory: every read allocates');
  let coming = next();
  client.write('one');
  await coming;
  accepted.pause();
  client.write('two');
  coming = next();
  setImmediate(() => accepted.resume());
  await coming;
  client.end();
  await once(accepted, 'close');
  assert.deepEqual(came, ['one', 'two']);
});

test('a socket that cannot be given memory reads into its own', () => {
  const socket = new Socket();
  const came: string[] = [];
  const lent = readInto(socket, new Uint8Array(64), (bytes, length) =>
    came.push(Buffer.from(bytes.subarray(0, length)).toString()),
  );
  assert.equal(lent, false);
  socket.emit('data', Buffer.from('its own'));
  socket.destroy();
  assert.deepEqual(came, ['its own']);
});
