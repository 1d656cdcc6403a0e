import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Offer } from '../../../host/plugins/offer.js';
import { Shelf } from '../../../host/route/router/shelf.js';
import type { Fault } from '../../../runtime/index.js';

const STEPS = ['decode', 'scale'].map(plugin => ({ plugin, config: '{}' }));
const FAULT: Fault = { code: 'SLUICE_GUEST_TRAP', message: 'it traps' };

/** Only who it is counts here. */
function offer(name: string): Offer {
  return { name } as Offer;
}

function route(serving: readonly Offer[], refused: readonly Offer[]) {
  return {
    steps: STEPS,
    serving: new Map(serving.map(each => [each.name, each])),
    refused: new Map(refused.map(each => [each, FAULT])),
  };
}

test('a route runs the newest of each of its plugins, once all are there and none is disabled', () => {
  const shelf = new Shelf();
  const [old, decode, scale] = [offer('decode'), offer('decode'), offer('scale')];
  const idle = route([], []);
  shelf.put(old);
  assert.equal(shelf.chosen(idle, old), undefined);
  assert.deepEqual(shelf.missing(STEPS), ['scale']);
  shelf.put(scale);
  shelf.put(decode);
  assert.deepEqual([...(shelf.chosen(idle, scale)?.values() ?? [])], [decode, scale]);
  assert.deepEqual([shelf.isNewest(old), shelf.isNewest(decode)], [false, true]);
  shelf.disable('decode');
  assert.equal(shelf.chosen(idle, scale), undefined);
  assert.deepEqual([shelf.enable('decode'), shelf.enable('decode')], [true, false]);
  assert.notEqual(shelf.chosen(idle, scale), undefined);
});

test('a version that was refused in a route keeps no neighbour from being replaced, and is tried itself when it comes again', () => {
  const shelf = new Shelf();
  const [served, refused, scale] = [offer('decode'), offer('decode'), offer('scale')];
  shelf.put(refused);
  shelf.put(scale);
  const running = route([served, scale], [refused]);
  assert.equal(shelf.chosen(running, scale)?.get('decode'), served);
  assert.equal(shelf.chosen(running, refused)?.get('decode'), refused);
});
