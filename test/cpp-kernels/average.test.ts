import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { average } from '../../cpp-kernels/reference/filters.js';
import { onBoth } from './library.js';
import { assertClose, seldomOddFloat, U } from './numbers.js';
import { anyStream, runStream, type Stream, whole } from './streams.js';

function averaged(stream: Stream, window: number): Float32Array {
  const { channels } = stream;
  return onBoth(library =>
    runStream(library, 'average', library.state('average', [window, channels], [window, channels]), stream),
  );
}

test('the mean of the last samples, in one call as in many, is within its bound; what is not finite leaves with the window', () => {
  const windows = fc.integer({ min: 1, max: 60 });
  fc.assert(
    fc.property(anyStream(seldomOddFloat, { frames: 600, channels: 6 }), windows, (stream, window) => {
      const results = averaged(stream, window);
      assert.deepEqual(results, averaged(whole(stream), window));
      for (const [i, { value, magnitude }] of average(stream.samples, window, stream.channels).entries()) {
        const bound = U * Math.abs(value) + window * 2 ** -53 * magnitude + 2 ** -150;
        assertClose(results[i] as number, value, bound, `result ${i} of windows of ${window}`);
      }
    }),
    { numRuns: 100, seed: 12 },
  );
});

test('errors do not pile up: after a million large samples small ones are seen as they are', () => {
  const samples = new Float32Array(200_000).fill(3e7);
  samples.fill(0.1, 100_000);
  const results = averaged({ samples, channels: 1, places: [], inPlace: false }, 10);
  assert.equal(results[199_999], Math.fround(0.1));
});
