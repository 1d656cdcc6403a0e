import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { blockOption } from '../../../host/protocols/coap/block.js';
import { CODE } from '../../../host/protocols/coap/code.js';
import { readMessage } from '../../../host/protocols/coap/message.js';
import { OPTION, option } from '../../../host/protocols/coap/option.js';
import { Representation } from '../../../host/protocols/coap/representation.js';
import { writeMessage } from '../../../host/protocols/coap/write-message.js';
import { Allowance } from '../../../host/sources/coap/allowance.js';
import { Bodies } from '../../../host/sources/coap/bodies.js';
import { Confirmables, type Notice } from '../../../host/sources/coap/confirmables.js';
import type { Peer } from '../../../host/sources/coap/datagrams.js';
import { type Exchange, Exchanges } from '../../../host/sources/coap/exchanges.js';
import { PeerHash } from '../../../host/sources/coap/peer-hash.js';
import { Resources } from '../../../host/sources/coap/resources.js';
import { Waiting } from '../../../host/sources/coap/waiting.js';

const PEER: Peer = { address: '10.0.0.1', port: 5683 };
const BLOCK = Buffer.alloc(16);

/** What goes out, as `id:text`, and a notice of whatever `scene.value` is. */
function confirmables(most?: number) {
  const scene = { sent: [] as string[], lost: 0, gone: 0, value: 'a' as string | undefined, allowed: true };
  const all = new Confirmables(
    {
      send: (_, bytes) => {
        if (scene.allowed) scene.sent.push(String(bytes));
        return scene.allowed;
      },
      acknowledged: () => {},
      lost: () => {
        scene.lost += 1;
      },
      isProven: ({ port }) => port === PEER.port,
    },
    most,
  );
  const notice = (key: string): Notice => ({
    key,
    peer: PEER,
    render: id => (scene.value === undefined ? undefined : Buffer.from(`${id}:${scene.value}`)),
    gone: () => {
      scene.gone += 1;
    },
  });
  const idOf = (n: number): number => Number.parseInt(scene.sent.at(n) ?? '', 10);
  const values = (): string[] => scene.sent.map(one => one.split(':')[1]!);
  return { scene, all, notice, idOf, values };
}

test('one notification is out for an observer, and the newest follows when it is acknowledged', () => {
  const { scene, all, notice, idOf, values } = confirmables();
  for (const value of ['a', 'b', 'c']) {
    scene.value = value;
    all.notify(notice('o'), 0);
  }
  assert.equal(all.size, 1);
  assert.deepEqual(values(), ['a']);
  all.acknowledged(PEER, idOf(0), 10);
  assert.deepEqual(values(), ['a', 'c']);
  all.acknowledged(PEER, idOf(1), 20);
  assert.equal(all.size, 0);
});

test('a notification that is repeated says what is newest under an id of its own, and is given up all the same', () => {
  const { scene, all, notice, idOf, values } = confirmables();
  all.notify(notice('o'), 0);
  scene.value = 'b';
  all.notify(notice('o'), 1);
  all.look(2_500);
  assert.deepEqual(values(), ['a', 'b']);
  assert.notEqual(idOf(0), idOf(1));
  for (let now = 3_000; now < 90_000; now += 500) all.look(now);
  assert.deepEqual([scene.sent.length, scene.gone, scene.lost, all.size], [5, 1, 1, 0]);
});

test('what may not be sent does not wait, and no more wait than have room', () => {
  const { scene, all, notice } = confirmables(2);
  scene.allowed = false;
  all.notify(notice('refused'), 0);
  assert.equal(all.size, 0);
  scene.allowed = true;
  for (const key of ['a', 'b', 'c']) all.notify(notice(key), 0);
  all.add(PEER, all.newId(PEER), Buffer.from('answer'), 0);
  assert.deepEqual([all.size, scene.lost, scene.sent.at(-1)], [2, 2, 'answer']);
});

test('messages to senders that may be made up make room for others, and their observations end with them', () => {
  const { scene, all, notice } = confirmables(3);
  let heard = 0;
  const watch = {
    heard: () => {
      heard += 1;
    },
    gone: () => {
      scene.gone += 1;
    },
  };
  const add = (port: number): number => {
    const id = all.newId(PEER);
    all.add({ address: '10.0.0.9', port }, id, Buffer.from('answer'), 0, watch);
    return id;
  };
  const [first, second] = [add(1), add(2)];
  all.acknowledged({ address: '10.0.0.9', port: 2 }, second, 1);
  assert.equal(heard, 1);
  for (const key of ['a', 'b']) all.notify(notice(key), 0);
  assert.deepEqual([all.size, scene.gone, scene.lost], [3, 0, 0]);
  all.notify(notice('c'), 0);
  assert.deepEqual([all.size, scene.gone, scene.lost, scene.sent.length], [3, 1, 1, 5]);
  all.acknowledged({ address: '10.0.0.9', port: 1 }, first, 1);
  all.notify(notice('d'), 0);
  assert.deepEqual([heard, scene.lost, scene.sent.length], [1, 2, 5]);
});

test('an observation of which nothing was acknowledged makes room for another, the oldest first; the others stay', () => {
  const gone: string[] = [];
  const resources = new Resources(64, 0.25, (address, path) => gone.push(`${address} ${path}`));
  for (const path of ['p', 'q', 'r']) resources.put(path, BLOCK, undefined);
  const from = (address: string): Peer => ({ address, port: 5683 });
  const token = Buffer.from('t');
  const honest = from('10.9.9.9');
  assert.equal(resources.observe('p', honest, token, false), undefined);
  resources.heard('p', honest, token);
  for (let n = 0; n < 200; n++)
    assert.equal(resources.observe('p', from(`10.0.0.${n}`), token, false), undefined);
  assert.deepEqual([resources.observed, gone.length, gone[0]], [64, 137, '10.0.0.0 p']);
  // Under the address of one that is there: its own stay too.
  for (let n = 0; n < 40; n++) resources.observe('q', honest, Buffer.from([n]), false);
  const kept = resources.observers('p').filter(({ peer }) => peer.address === honest.address);
  assert.deepEqual([resources.observed, kept.length], [64, 1]);
  for (const { peer } of resources.observers('p')) resources.heard('p', peer, token);
  for (const { peer, token } of resources.observers('q')) resources.heard('q', peer, token);
  assert.match(
    resources.observe('r', from('10.1.1.1'), token, false) ?? '',
    /all 64 observations are in use/,
  );
});

test('message ids do not follow each other', () => {
  const { all } = confirmables();
  const ids = Array.from({ length: 50 }, () => all.newId(PEER));
  assert.ok(ids.filter((id, n) => n > 0 && id === ((ids[n - 1]! + 1) & 0xffff)).length < 5, String(ids));
});

test('an address is believed after two acknowledgements that fit, and not after many that do not', () => {
  const allowance = new Allowance();
  for (const address of ['honest', 'forged']) allowance.received(address, 20);
  assert.ok(allowance.spend('honest', 50));
  allowance.acknowledged('honest', 50);
  assert.equal(allowance.left('honest'), 60);
  allowance.acknowledged('honest', 50);
  assert.equal(allowance.left('honest'), Number.POSITIVE_INFINITY);
  for (let n = 0; n < 9; n++) allowance.acknowledged('forged', 0);
  for (let n = 0; n < 5; n++) allowance.acknowledged('forged', 50);
  assert.equal(allowance.left('forged'), 60);
});

test('a path that makes room takes its observers with it, and all observers together have a ceiling', () => {
  const resources = new Resources(1_024, 0.25);
  const put = (n: number): void => resources.put(`p${n}`, BLOCK, undefined);
  put(0);
  assert.equal(resources.observe('p0', PEER, Buffer.from('t'), true), undefined);
  put(0);
  assert.equal(resources.observed, 1);
  for (let n = 1; n <= 256; n++) put(n);
  assert.deepEqual([resources.observed, resources.observers('p0')], [0, []]);
  let taken = 0;
  const peers = Array.from({ length: 5 }, (_, n) => ({ ...PEER, address: `10.0.0.${n}` }));
  const [first] = peers;
  for (const peer of peers)
    for (let path = 1; path <= 50; path++)
      for (let n = 0; n < 10; n++)
        if (resources.observe(`p${path}`, peer, Buffer.from([n]), true) === undefined) taken += 1;
  assert.equal(taken, 1_024);
  assert.match(
    resources.observe('p50', PEER, Buffer.from('t'), true) ?? '',
    /all 1024 observations are in use/,
  );
  resources.forget('p1', first!, Buffer.from([0]));
  assert.equal(resources.observe('p50', peers[4]!, Buffer.from([1]), true), undefined);
});

test('one address cannot take all places for observers, nor all of the memory for bodies', () => {
  const resources = new Resources(1_024, 0.25);
  for (let n = 0; n < 20; n++) resources.put(`p${n}`, BLOCK, undefined);
  let taken = 0;
  for (let path = 0; path < 20; path++)
    for (let n = 0; n < 20; n++)
      if (resources.observe(`p${path}`, PEER, Buffer.from([n]), true) === undefined) taken += 1;
  assert.equal(taken, 256);
  assert.match(
    resources.observe('p19', PEER, Buffer.from('t'), true) ?? '',
    /256 observations are of this address.*`peerShare`/,
  );
  assert.equal(resources.observe('p0', { ...PEER, address: '10.9.9.9' }, Buffer.from('t'), true), undefined);
  // Nor those of one path, of which there are less.
  const path = new Resources(1_024, 0.25);
  path.put('p', BLOCK, undefined);
  const ask = (n: number) => path.observe('p', PEER, Buffer.from([n]), true);
  for (let n = 0; n < 16; n++) assert.equal(ask(n), undefined);
  assert.match(ask(16) ?? '', /16 observations of it are of this address.*`peerShare`/);
  assert.equal(path.observe('p', { ...PEER, address: '10.9.9.9' }, Buffer.from('t'), true), undefined);

  let evicted = 0;
  const ceilings = { maxBody: 16, memory: 16 * 400, bodies: 256, peerShare: 0.25 };
  const bodies = new Bodies(ceilings, (address, why) => {
    assert.match(`${address}: ${why}`, /^greedy: this address has more than 64 of them .*`peerShare`/);
    evicted += 1;
  });
  const take = (address: string, name: string, number: number) =>
    bodies.take(address, name, { number, more: true, size: 8 }, BLOCK.subarray(0, 8), 0, true);
  take('honest', 'b', 0);
  for (let n = 0; n < 300; n++) take('greedy', `b${n}`, 0);
  assert.deepEqual([evicted, bodies.held], [236, 8 * 65]);
  assert.deepEqual(take('honest', 'b', 1), { code: CODE.continue });
});

test('an address that has not shown that it is there has 64 KiB of blocks, and more once it has', () => {
  const ceilings = { maxBody: 1 << 20, memory: 8 << 20, bodies: 256, peerShare: 0.25 };
  const bodies = new Bodies(ceilings, () => assert.fail('nothing makes room'));
  const payload = Buffer.alloc(1_024, 'x');
  const take = (address: string, name: string, number: number, isProven: boolean) =>
    bodies.take(address, name, { number, more: true, size: 1_024 }, payload, 0, isProven);
  take('another', 'b', 0, false);
  for (let n = 0; n < 64; n++) assert.deepEqual(take('made up', 'b', n, false), { code: CODE.continue });
  assert.deepEqual(take('made up', 'b', 64, false), { code: CODE.unauthorized });
  assert.equal(bodies.held, 65 * 1_024);
  assert.deepEqual(take('made up', 'b', 64, true), { code: CODE.continue });
  assert.equal(bodies.held, 66 * 1_024);
  // Each costs a piece at least, however small its blocks are.
  const little = { number: 0, more: true, size: 16 };
  for (let n = 0; n < 100; n++) bodies.take('many', `b${n}`, little, BLOCK, 0, false);
  assert.equal(bodies.held, 66 * 1_024 + 64 * 16);
});

test('devices behind one address that has shown nothing do not make each other begin again: who finds no room is asked to', () => {
  const ceilings = { maxBody: 1 << 16, memory: 1 << 20, bodies: 256, peerShare: 0.25 };
  let evicted = 0;
  const bodies = new Bodies(ceilings, () => {
    evicted += 1;
  });
  const payload = Buffer.alloc(1_024, 'x');
  const take = (device: number, number: number, now: number, isProven = false, more = true) =>
    bodies.take('router', `${device} t`, { number, more, size: 1_024 }, payload, now, isProven);
  // Sixteen of eight blocks each would need twice the 64 KiB; none of them is quicker than the others.
  for (let number = 0; number < 4; number++)
    for (let device = 0; device < 16; device++)
      assert.deepEqual(take(device, number, number), { code: CODE.continue });
  assert.deepEqual(take(16, 0, 4), { code: CODE.unauthorized }, 'one that begins');
  assert.deepEqual(take(0, 4, 4), { code: CODE.unauthorized }, 'one that goes on');
  assert.equal(bodies.held, 64 * 1_024);
  // Who shows it shows it for all, and goes on with the block that was refused.
  for (let number = 4; number < 7; number++)
    for (let device = 0; device < 16; device++)
      assert.deepEqual(take(device, number, 5, true), { code: CODE.continue });
  for (let device = 0; device < 16; device++) assert.ok('body' in take(device, 7, 6, true, false));
  assert.deepEqual([evicted, bodies.held], [0, 0]);
});

test('what senders have given up makes room for an address that has shown nothing, and what goes on does not', () => {
  const evicted: string[] = [];
  const ceilings = { maxBody: 64, memory: 48, bodies: 256, peerShare: 1 };
  const bodies = new Bodies(ceilings, address => void evicted.push(address));
  const take = (address: string, now: number, number = 0) =>
    bodies.take(address, 'b', { number, more: true, size: 16 }, BLOCK, now, false);
  take('given up', 0);
  take('going on', 0);
  take('going on', 50_000, 1);
  assert.deepEqual(take('new', 92_999), { code: CODE.unauthorized });
  assert.deepEqual([bodies.held, evicted], [48, []]);
  assert.deepEqual(take('new', 93_000), { code: CODE.continue });
  assert.deepEqual(evicted, ['given up']);
  assert.deepEqual(take('going on', 93_001, 2), { code: CODE.unauthorized });
});

test('as many bodies as one address may have are not displaced by one more while it has shown nothing', () => {
  const ceilings = { maxBody: 1 << 16, memory: 1 << 20, bodies: 8, peerShare: 0.25 };
  const bodies = new Bodies(ceilings, () => assert.fail('nothing makes room'));
  const take = (name: string) =>
    bodies.take('router', name, { number: 0, more: true, size: 16 }, BLOCK, 0, false);
  assert.deepEqual(
    ['a', 'b', 'c'].map(name => take(name)),
    [{ code: CODE.continue }, { code: CODE.continue }, { code: CODE.unauthorized }],
  );
});

test('small blocks behind large ones are put together as they came', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(16, 32, 256, 1_024), { minLength: 1, maxLength: 40 }), sizes => {
      const bodies = new Bodies({ maxBody: 1 << 16, memory: 1 << 20, bodies: 4, peerShare: 1 }, () => {});
      const parts = sizes.toSorted((a, b) => b - a).map((size, n) => Buffer.alloc(size, n + 1));
      let at = 0;
      let outcome: ReturnType<Bodies['take']> | undefined;
      for (const [n, part] of parts.entries()) {
        const block = { number: at / part.length, more: n < parts.length - 1, size: part.length };
        outcome = bodies.take('a', 'b', block, part, 0, false);
        at += part.length;
      }
      assert.deepEqual(outcome, { body: Buffer.concat(parts) });
      assert.equal(bodies.held, 0);
    }),
  );
});

test('where all devices come through one router, its address may have all places', () => {
  const resources = new Resources(300, 1);
  for (let n = 0; n < 5; n++) resources.put(`p${n}`, BLOCK, undefined);
  const ask = (n: number) => resources.observe(`p${n % 5}`, PEER, Buffer.from([n >> 8, n]), true);
  for (let n = 0; n < 300; n++) assert.equal(ask(n), undefined);
  assert.match(ask(300) ?? '', /all 300 observations/);
  const bodies = new Bodies({ maxBody: 16, memory: 16 * 400, bodies: 300, peerShare: 1 }, () =>
    assert.fail('there is room'),
  );
  const first = { number: 0, more: true, size: 16 };
  for (let n = 0; n < 300; n++) bodies.take(PEER.address, `b${n}`, first, BLOCK, 0, true);
  assert.equal(bodies.held, 16 * 300);
});

test('the body whose last block came longest ago makes room, and only what is larger than all is told to wait', () => {
  let evicted = 0;
  const bodies = new Bodies({ maxBody: 1_000, memory: 48, bodies: 256, peerShare: 0.25 }, () => {
    evicted += 1;
  });
  const take = (key: string, number: number, now: number) =>
    bodies.take('a device', key, { number, more: true, size: 16 }, BLOCK, now, true);
  take('a', 0, 0);
  take('b', 0, 1);
  take('a', 1, 2);
  assert.deepEqual(take('c', 0, 3), { code: CODE.continue });
  assert.deepEqual([evicted, bodies.held], [1, 48]);
  assert.deepEqual(take('b', 1, 4), { code: CODE.incomplete });
  assert.deepEqual(take('a', 2, 5), { code: CODE.continue });
  assert.deepEqual([evicted, bodies.held], [2, 48]);
  assert.deepEqual(take('a', 3, 6), { code: CODE.unavailable });
  assert.equal(bodies.held, 0);
});

test('an abandoned body is forgotten though an older one goes on', () => {
  const bodies = new Bodies({ maxBody: 1_000, memory: 1_000, bodies: 256, peerShare: 0.25 }, () =>
    assert.fail('nothing has to make room'),
  );
  const take = (key: string, number: number, now: number) =>
    bodies.take('a device', key, { number, more: true, size: 16 }, BLOCK, now, true);
  take('going on', 0, 0);
  take('abandoned', 0, 1);
  take('going on', 1, 200_000);
  take('new', 0, 250_000);
  assert.equal(bodies.held, 48);
});

const ASKED = readMessage(Buffer.from('40020001', 'hex'));

test('a request is known until as many have come after it as are remembered, or its lifetime is over', () => {
  const exchanges = new Exchanges(2);
  const begin = (id: number, now: number): Exchange => exchanges.begin(PEER, { ...ASKED, id }, now);
  for (const id of [1, 2, 3]) begin(id, 0);
  const isKnown = (id: number, now: number): boolean => exchanges.find(PEER, id, now) !== undefined;
  assert.deepEqual(
    [1, 2, 3].map(id => isKnown(id, 246_999)),
    [false, true, true],
  );
  assert.ok(!isKnown(3, 247_000));
  // Its place is given away before the place of the one under the same id that came later.
  begin(2, 300_000);
  begin(4, 300_000);
  assert.ok(isKnown(2, 300_001));
  for (const other of [
    { address: '10.0.0.2', port: 5683 },
    { address: '10.0.0.1', port: 5684 },
  ])
    assert.equal(exchanges.find(other, 4, 300_001), undefined);
});

test('among many requests each is found again that is remembered, and no other', () => {
  const most = 64;
  const exchanges = new Exchanges(most);
  const asks = fc.sample(
    fc.record({
      address: fc.constantFrom('10.0.0.1', '10.0.0.2', 'fd00::1'),
      port: fc.integer({ min: 1, max: 3 }),
      id: fc.integer({ min: 0, max: 40 }),
    }),
    { numRuns: 3_000, seed: 3 },
  );
  for (const [n, { id, ...peer }] of asks.entries()) {
    const known = asks
      .slice(Math.max(0, n - most), n)
      .some(one => one.id === id && one.port === peer.port && one.address === peer.address);
    assert.equal(exchanges.find(peer, id, 0) !== undefined, known);
    exchanges.begin(peer, { ...ASKED, id }, 0);
  }
});

test('where a request is kept cannot be foreseen, and those of one sender are spread', () => {
  const asks = Array.from({ length: 4_096 }, (_, n) => [1_024 + (n >> 6), n & 63] as const);
  const places = (hash: PeerHash): number[] =>
    asks.map(([port, id]) => hash.of('10.0.0.1', port, id) & 4_095);
  const [one, other] = [places(new PeerHash()), places(new PeerHash())];
  const same = one.filter((place, n) => place === other[n]).length;
  assert.ok(same < 100, `${same} of 4096 are where they were`);
  const counts = new Map<number, number>();
  for (const place of one) counts.set(place, (counts.get(place) ?? 0) + 1);
  assert.ok(Math.max(...counts.values()) < 64, `${Math.max(...counts.values())} in one place`);
});

test('a request that waits for its answer does not become another one', () => {
  const exchanges = new Exchanges(1);
  const waits = exchanges.begin(PEER, { ...ASKED, id: 1 }, 0);
  waits.isWaiting = true;
  exchanges.begin(PEER, { ...ASKED, id: 2 }, 0);
  assert.deepEqual([waits.id, exchanges.find(PEER, 2, 0)?.id], [1, 2]);
});

test('requests that wait are given back in their order, each once, however many there are', () => {
  const waiting = new Waiting();
  const exchanges = new Exchanges(4);
  let next = 0;
  const add = (): void => {
    next += 1;
    const one: Exchange = exchanges.begin(PEER, ASKED, next);
    one.sequence = next;
    waiting.add(one);
  };
  const unanswered: number[] = [];
  assert.equal(waiting.find(1), undefined);
  const taken: number[] = [];
  for (let n = 0; n < 4_000; n++) {
    add();
    if (n % 3 === 0) add();
    const one = waiting.nextUnanswered(next - 100);
    if (one !== undefined) unanswered.push(one.sequence);
    const done = waiting.takeDelivered(next - 200);
    if (done !== undefined) taken.push(done.sequence);
    assert.equal(waiting.find(next)?.sequence, next);
    assert.equal(waiting.find(taken.at(-1) ?? 0), undefined);
  }
  for (let one = waiting.takeOlder(next); one; one = waiting.takeOlder(next)) taken.push(one.sequence);
  assert.deepEqual(
    taken,
    Array.from({ length: next }, (_, n) => n + 1),
  );
  assert.equal(new Set(unanswered).size, unanswered.length);
  assert.equal(waiting.length, 0);
});

test('an observer that may not be told, as it has shown nothing of itself, is none any more', () => {
  const { scene, all, notice } = confirmables();
  scene.allowed = false;
  all.notify(notice('o'), 0);
  assert.deepEqual([scene.gone, all.size], [1, 0]);
});

test('blocks that wait for more hold nothing but their bytes', () => {
  const block2 = blockOption(OPTION.block2, { number: 0, more: true, size: 16 });
  const token = Buffer.alloc(0);
  const options = [block2, option(2_048, Buffer.alloc(500))];
  const datagram = writeMessage({ type: 'ack', id: 1, code: CODE.content, token, options, payload: BLOCK });
  const representation = new Representation(64);
  assert.equal(representation.take(readMessage(datagram)), 'more');
  datagram.fill(1);
  assert.deepEqual(representation.whole(), BLOCK);
});

test('an address has a name in complaints when it has shown that it is there', () => {
  const allowance = new Allowance();
  allowance.received('10.0.0.1', 10);
  assert.equal(allowance.nameOf('10.0.0.1'), undefined);
  allowance.echoed('10.0.0.1', allowance.challenge('10.0.0.1'));
  assert.equal(allowance.nameOf('10.0.0.1'), '10.0.0.1');
});
