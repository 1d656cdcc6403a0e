import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeerCount } from '../../../host/sources/serve/peer-count.js';

test('an address has its ceiling again when its connections are gone, however often they come and go', () => {
  const count = new PeerCount(10, 2);
  for (let round = 0; round < 5000; round++) {
    assert.equal(count.enter('10.0.0.1'), undefined);
    assert.equal(count.enter('10.0.0.1'), undefined);
    assert.match(count.enter('10.0.0.1') ?? '', /^2 connections of this address/);
    count.leave('10.0.0.1');
    count.leave('10.0.0.1');
  }
  assert.equal(count.known, 1);
});

test('all connections together have a ceiling, and what is turned away is not counted', () => {
  const count = new PeerCount(2, 2);
  count.enter('10.0.0.1');
  count.enter('10.0.0.2');
  assert.match(count.enter('10.0.0.3') ?? '', /^all 2 connections are in use/);
  count.leave('10.0.0.1');
  assert.equal(count.enter('10.0.0.3'), undefined);
});

test('addresses whose connections are gone are forgotten when they are many, those with one are not', () => {
  const count = new PeerCount(1_000_000, 1);
  for (let address = 0; address < 500; address++) count.enter(`stays ${address}`);
  for (let address = 0; address < 100_000; address++) {
    count.enter(`goes ${address}`);
    count.leave(`goes ${address}`);
    assert.ok(count.known <= 2000, `${count.known} addresses are known`);
  }
  for (let address = 0; address < 500; address++)
    assert.match(count.enter(`stays ${address}`) ?? '', /^1 connections of this address/);
});
