import assert from 'node:assert/strict';
import { test } from 'node:test';
import { play } from '../support/game/game.js';

/** SLUICE_LONG_GAMES and SLUICE_LONG_SEED say how many games, and which is the first. */
const FIRST = Number(process.env.SLUICE_LONG_SEED ?? 1);
const GAMES = Number(process.env.SLUICE_LONG_GAMES ?? 10);

for (let seed = FIRST; seed < FIRST + GAMES; seed++) {
  test(`game ${seed}: nothing that was acknowledged is lost, whatever happens to plugins, brokers, disk and process`, async () => {
    const { wrong, setup, moves } = await play(seed);
    const played = `${JSON.stringify(setup)}: ${moves.map(({ what }) => what).join(' ')}`;
    assert.deepEqual(wrong, [], played);
  });
}
