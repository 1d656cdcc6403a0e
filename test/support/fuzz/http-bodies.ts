import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { DEFAULT_POLICY } from '../../../runtime/index.js';
import { httpScene, raw } from '../sources/http-rig.js';

const ASYNC = { prefer: 'respond-async' };

/** A gzip body of any members is unpacked, and damaged or cut it is refused or what it was. */
export async function anyGzip(t: TestContext, numRuns: number): Promise<void> {
  const { ingress, post } = await httpScene(t);
  const member = fc.uint8Array({ minLength: 1, maxLength: 60 });
  const damage = fc.record({
    at: fc.nat(),
    change: fc.integer({ min: 0, max: 255 }),
    cut: fc.option(fc.nat(), { nil: undefined }),
  });
  const property = fc.asyncProperty(
    fc.array(member, { minLength: 1, maxLength: 3 }),
    damage,
    async (members, { at, change, cut }) => {
      const packed = Buffer.concat(members.map(bytes => gzipSync(bytes)));
      packed[at % packed.length]! ^= change;
      const sent = cut === undefined ? packed : packed.subarray(0, 1 + (cut % packed.length));
      const isWhole = change === 0 && sent.length === packed.length;
      const { status } = await post(sent, { 'content-encoding': 'gzip', ...ASYNC });
      const frames = ingress.frames.splice(0);
      if (isWhole) assert.equal(status, 202);
      if (status !== 202) {
        assert.equal(status, 400);
        assert.equal(frames.length, 0);
        return;
      }
      assert.equal(frames.length, 1);
      // What is cut between two members, or loses the header of a later one, is a shorter body, and no other one.
      const bytes = Buffer.from(frames[0]!.bytes);
      const whole = Buffer.concat(members);
      assert.deepEqual(bytes, whole.subarray(0, bytes.length));
      if (isWhole) assert.equal(bytes.length, whole.length);
    },
  );
  await fc.assert(property, { numRuns });
}

/** A body in chunks is what they say, and one of them that lies about its length leaves no frame. */
export async function anyChunks(t: TestContext, numRuns: number): Promise<void> {
  const { headers } = DEFAULT_POLICY;
  const request = { ...headers.request, 'transfer-encoding': ['chunked'] };
  const policy = { ...DEFAULT_POLICY, headers: { ...headers, request } };
  const { ingress, port } = await httpScene(t, {}, { current: policy });
  const head = 'POST /ingest/plc HTTP/1.1\r\nhost: x\r\nprefer: respond-async\r\nconnection: close\r\n';
  const property = fc.asyncProperty(
    fc.array(fc.integer({ min: 3, max: 30 }), { minLength: 1, maxLength: 4 }),
    fc.nat(),
    fc.integer({ min: -2, max: 2 }),
    async (lengths, which, lie) => {
      const chunks = lengths.map((length, n) => {
        const told = n === which % lengths.length ? length + lie : length;
        return `${told.toString(16)}\r\n${'z'.repeat(length)}\r\n`;
      });
      const answer = await raw(port, `${head}transfer-encoding: chunked\r\n\r\n${chunks.join('')}0\r\n\r\n`);
      const frames = ingress.frames.splice(0).map(({ bytes }) => String(bytes));
      assert.match(answer, lie === 0 ? /^HTTP\/1\.1 202 / : /^HTTP\/1\.1 400 /);
      const total = lengths.reduce((sum, length) => sum + length, 0);
      assert.deepEqual(frames, lie === 0 ? ['z'.repeat(total)] : []);
    },
  );
  await fc.assert(property, { numRuns });
}
