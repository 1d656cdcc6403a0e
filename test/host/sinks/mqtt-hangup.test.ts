import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numbered, writeAll } from '../../support/mqtt/mqtt-recorder.js';
import { withServer } from '../../support/mqtt/mqtt-rig.js';

const others = (count: number, poison: number): string[] =>
  Array.from({ length: count }, (_, n) => String(n)).filter(text => text !== String(poison));

for (const [what, version, confirmsAtOnce] of [
  ['3.1.1', 4, true],
  ['5.0', 5, true],
  ['5.0, late with its confirmations', 5, false],
] as const) {
  test(`a message for which the broker hangs up each time is left out with a code, and all others arrive in order (${what})`, () =>
    withServer({ puback: () => 'none' }, { version }, async ({ server, sink, seen }) => {
      const taken: string[] = [];
      const unconfirmed = new WeakMap<object, number[]>();
      server.behaviour.onPublish = (packet, connection) => {
        const text = packet.payload.toString();
        if (text === '20') {
          connection.socket.destroy();
          return;
        }
        if (!taken.includes(text)) taken.push(text);
        const open = unconfirmed.get(connection) ?? [];
        unconfirmed.set(connection, open);
        open.push(packet.messageId!);
        const confirm = (): void => {
          for (const messageId of open.splice(0))
            connection.send({ cmd: 'puback', messageId, reasonCode: 0 });
        };
        if (confirmsAtOnce) confirm();
        else setTimeout(confirm, 5);
      };
      await writeAll(sink, seen, numbered(100, { topic: 'line/x' }));
      await seen.settled(100);
      assert.deepEqual([seen.confirmed, seen.codes], [99, ['SLUICE_SINK_HANGUP']]);
      assert.deepEqual(taken, others(100, 20));
      const [fault] = seen.faults.filter(({ code }) => code === 'SLUICE_SINK_HANGUP');
      assert.match(
        fault?.message ?? '',
        /^The broker hung up 3 times right after a message of \d+ bytes on "line\/x" that went out alone; it is left out/,
      );
      assert.equal(sink.state().inFlight, 0);
    }));
}

test('a client id that another fights for costs no message, however often the broker says so', () =>
  withServer({ puback: () => 'none' }, { clientId: 'c' }, async ({ server, sink, seen }) => {
    server.behaviour.onPublish = (_packet, connection) => {
      if (server.connects.length < 8) connection.send({ cmd: 'disconnect', reasonCode: 0x8e });
      else server.behaviour.puback = () => 0;
    };
    await writeAll(sink, seen, numbered(10));
    await seen.settled(10);
    assert.deepEqual([seen.confirmed, seen.codes], [10, []]);
  }));

test('a broker that hangs up in the middle again and again, for no message in particular, costs none', () =>
  withServer({}, {}, async ({ server, sink, seen }) => {
    let got = 0;
    server.behaviour.onPublish = (_packet, { socket }) => {
      if (++got % 7 === 0) socket.destroy();
    };
    await writeAll(sink, seen, numbered(300));
    await seen.settled(300);
    assert.deepEqual([seen.confirmed, seen.codes], [300, []]);
  }));
