import { test } from 'node:test';
import { anyChunks, anyGzip } from '../support/fuzz/http-bodies.js';
import { longCases } from './cases.js';

test('HTTP: a gzip body of any members is unpacked, and damaged or cut it is refused or what it was', async t => {
  await anyGzip(t, longCases());
});

test('HTTP: a body in chunks is what they say, and one that lies about its length leaves no frame', async t => {
  await anyChunks(t, longCases());
});
