import { test } from 'node:test';
import { killRounds } from '../support/gateway/kill-rounds.js';

test('killed in mid-traffic again and again, with its broker there and away, a gateway loses nothing', t =>
  killRounds(t, [false, true, false, true, false, true]));
