import { test } from 'node:test';
import { STORIES, tellStories } from '../support/gateway/stories.js';

/** It keeps two cores busy until its heap is full: what others do beside it would take its time. */
const ALONE = 'heap-hog';

test('of every fault guest one log line, its counters and /v1 tell what it did, and the gateway stays ready for the others', t =>
  tellStories(
    t,
    Object.keys(STORIES).filter(guest => guest !== ALONE),
  ));

test('so they do of a component that fills the heap of its thread', t => tellStories(t, [ALONE]));
