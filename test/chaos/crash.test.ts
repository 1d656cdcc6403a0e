import { test } from 'node:test';
import { killRounds } from '../support/gateway/kill-rounds.js';

// A hundred kills are the benchmark `crash`.
test('killed in mid-traffic while its broker is away, a gateway loses nothing that was acknowledged', t =>
  killRounds(t, [true]));
