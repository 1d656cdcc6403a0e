import { test } from 'node:test';
import { anyChunks, anyGzip } from '../../support/fuzz/http-bodies.js';

test('a gzip body of any members is unpacked, and damaged or cut it is refused or what it was', async t => {
  await anyGzip(t, 40);
});

test('a body in chunks is what they say, and one of them that lies about its length leaves no frame', async t => {
  await anyChunks(t, 40);
});
