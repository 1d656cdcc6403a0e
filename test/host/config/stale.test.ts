import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, read } from './support.js';

test('data may be ten polls old, ten minutes where nothing is asked for, or as old as is said', async () => {
  const { config } = await read(`sources:
  slow: { modbus: { devices: [ { host: plc } ], poll: [ { holding: 0, every: 5s }, { holding: 1, every: 100ms } ] } }
  quick: { modbus: { devices: [ { host: plc } ], poll: [ { holding: 0, every: 100ms } ] } }
  floor: { mqtt: { url: mqtt://127.0.0.1, topics: [ a ] } }
  said: { mqtt: { url: mqtt://127.0.0.1, topics: [ a ] }, staleAfter: 30s }
  plc: { tunnel: {} }
  hooks: { http: { port: 0 }, staleAfter: never }
`);
  assert.deepEqual(Object.fromEntries(config.stale), {
    slow: { afterMs: 50_000, fromStart: true, renew: false },
    quick: { afterMs: 10_000, fromStart: true, renew: false },
    floor: { afterMs: 600_000, fromStart: true, renew: false },
    said: { afterMs: 30_000, fromStart: true, renew: true },
    plc: { afterMs: 600_000, fromStart: false, renew: false },
    hooks: { afterMs: Number.POSITIVE_INFINITY, fromStart: true, renew: true },
  });
});

test('a source needs exactly one protocol beside staleAfter', async () => {
  assert.match((await problemsOf('sources: { a: { staleAfter: 1s } }\n'))[0]!, /names no protocol/);
  const two = 'sources: { a: { tunnel: {}, coap: {}, staleAfter: 1s } }\n';
  assert.match((await problemsOf(two))[0]!, /names more than one protocol/);
});
