import { test } from 'node:test';
import { STORIES, tellStories } from '../support/stories.js';

test('of every fault guest one log line, its counters and /v1 tell what it did, and the gateway stays ready for the others', t =>
  tellStories(t, Object.keys(STORIES)));
