import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ClientSession } from '../../../host/protocols/tunnel/client-session.js';
import { encodeBare, encodeClose, encodeWelcome } from '../../../host/protocols/tunnel/encode.js';
import { FrameReader } from '../../../host/protocols/tunnel/frame-reader.js';
import { readHello } from '../../../host/protocols/tunnel/messages.js';
import { TYPE } from '../../../host/protocols/tunnel/wire.js';

const WHO = { client: 'press-4', session: 9 };
const PARTS = { payload: Buffer.from('x') };

function sequences(bytes: Buffer | undefined): number[] {
  const reader = new FrameReader(4096);
  reader.feed(bytes ?? Buffer.alloc(0));
  const found: number[] = [];
  while (reader.next()) if (reader.type === TYPE.data) found.push(reader.sequence);
  return found;
}

function welcome(taken: number, window = 100): Buffer {
  return encodeWelcome({ taken, window, maxFrame: 4096, keepAliveMs: 0 });
}

test('a session sends nothing but HELLO before it is welcomed, then as many as the window lets', () => {
  const session = new ClientSession(WHO, 10);
  for (let n = 0; n < 5; n++) session.send(PARTS);
  session.begin();
  assert.deepEqual(sequences(session.take()), []);
  session.receive(welcome(0, 2));
  assert.deepEqual(sequences(session.take()), [1, 2]);
  session.receive(encodeBare(TYPE.ack, 1));
  assert.deepEqual(sequences(session.take()), [3]);
  assert.deepEqual([session.acknowledged, session.open], [1, 4]);
});

test('a session that comes back says the oldest frame that it has, and sends from where the server stopped taking', () => {
  const session = new ClientSession(WHO, 10);
  for (let n = 0; n < 5; n++) session.send(PARTS);
  session.begin();
  session.receive(welcome(0));
  session.take();
  session.receive(encodeBare(TYPE.ack, 2));
  session.begin();
  const reader = new FrameReader(4096);
  reader.feed(session.take()!);
  assert.ok(reader.next());
  assert.equal(readHello(reader).first, 3);
  session.receive(welcome(4));
  assert.deepEqual(sequences(session.take()), [5]);
  // A server that was started again knows nothing of what it took.
  session.begin();
  session.take();
  session.receive(welcome(2));
  assert.deepEqual(sequences(session.take()), [3, 4, 5]);
});

test('a session that is full takes no more, and takes again after an acknowledgement', () => {
  const session = new ClientSession(WHO, 2);
  assert.deepEqual([session.send(PARTS), session.send(PARTS), session.send(PARTS)], [1, 2, 0]);
  session.begin();
  session.receive(welcome(0));
  session.take();
  session.receive(encodeBare(TYPE.ack, 2));
  assert.equal(session.send(PARTS), 3);
});

test('a server that took or acknowledges what was never sent is not believed', () => {
  const fresh = (): ClientSession => {
    const session = new ClientSession(WHO, 5);
    session.send(PARTS);
    session.begin();
    return session;
  };
  const protocol = { code: 'SLUICE_SOURCE_PROTOCOL' };
  assert.throws(() => fresh().receive(welcome(2)), protocol);
  assert.throws(() => fresh().receive(encodeBare(TYPE.ack, 1)), protocol);
  assert.throws(() => fresh().receive(encodeBare(TYPE.data, 1)), protocol);
});

test('why the server ends a connection is told', () => {
  const words: string[] = [];
  const session = new ClientSession(WHO, 5, {
    close: ({ reason, text }) => void words.push(`${reason} ${text}`),
  });
  session.receive(encodeClose({ reason: 3, text: 'no' }));
  assert.deepEqual(words, ['3 no']);
});

/** A server in a few lines: takes, acknowledges late, and may lose its memory or any tail of a connection. */
test('whatever is cut, delayed or started again, every frame is taken once, in order', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('send' as const), count: fc.integer({ min: 1, max: 5 }) }),
    fc.record({ kind: fc.constant('cut' as const), lost: fc.nat(200) }),
    fc.record({ kind: fc.constant('ack' as const), count: fc.integer({ min: 1, max: 9 }) }),
  );
  const property = fc.property(
    fc.array(step, { maxLength: 40 }),
    fc.integer({ min: 1, max: 6 }),
    (steps, window) => {
      const session = new ClientSession(WHO, 1000);
      const took: number[] = [];
      let acknowledged = 0;
      let reader = new FrameReader(4096);
      const serve = (bytes: Buffer | undefined, lost = 0): void => {
        if (bytes === undefined) return;
        reader.feed(bytes.subarray(0, Math.max(0, bytes.length - lost)));
        while (reader.next()) {
          if (reader.type === TYPE.hello) session.receive(welcome(took.length, window));
          else if (reader.sequence === took.length + 1) took.push(reader.sequence);
          assert.ok(took.length - acknowledged <= window, 'the window is kept');
        }
        if (lost === 0 && reader.partial === 0) {
          const more = session.take();
          if (more !== undefined) serve(more);
        }
      };
      const connect = (): void => {
        reader = new FrameReader(4096);
        session.begin();
        serve(session.take());
      };
      let sent = 0;
      connect();
      for (const one of steps) {
        if (one.kind === 'send') for (let n = 0; n < one.count; n++) sent = session.send(PARTS);
        if (one.kind === 'ack' && took.length > acknowledged) {
          acknowledged = Math.min(took.length, acknowledged + one.count);
          session.receive(encodeBare(TYPE.ack, acknowledged));
        }
        serve(session.take(), one.kind === 'cut' ? one.lost : 0);
        if (one.kind === 'cut') connect();
      }
      while (session.open > 0) {
        acknowledged = took.length;
        session.receive(encodeBare(TYPE.ack, acknowledged));
        serve(session.take());
      }
      assert.deepEqual(
        took,
        Array.from({ length: sent }, (_, n) => n + 1),
      );
    },
  );
  fc.assert(property, { numRuns: 150 });
});
