import { test } from 'node:test';
import { tellStories } from '../support/gateway/stories.js';

/** One of each sort: fails, hangs, floods, is silent, fails now and then. All of them are in test/long. */
const SOME = ['trap', 'spin', 'log-flood', 'zero-output', 'flaky'];

test('of some fault guests one log line, its counters and /v1 tell what it did, and the gateway stays ready for the others', t =>
  tellStories(t, SOME));
