import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { HOSTILE_SHAPES } from '../support/modules/hostile-shapes.js';
import { embeddedModules, moduleFiles } from '../support/modules/real-modules.js';

/** A thread that has room for itself and little more: it dies where a scan needs more than 24 MB. */
const HEAP = { maxOldGenerationSizeMb: 20, maxYoungGenerationSizeMb: 4 };
/** Of the functions' types, at a million functions. */
const BUFFERS = 5 << 20;

test('a scan needs no more memory than the file again, whatever is in it: 31 MB of anything in a thread with 24 MB', async t => {
  const worker = new Worker(new URL('../support/modules/scan-worker.js', import.meta.url), {
    resourceLimits: HEAP,
  });
  const scanned = async (bytes: Uint8Array): Promise<string> => {
    const copy = Uint8Array.from(bytes);
    worker.postMessage(copy, [copy.buffer]);
    const [{ said, buffers }] = (await once(worker, 'message')) as [{ said: string; buffers: number }];
    assert.ok(buffers < BUFFERS, `${buffers} bytes of buffers`);
    return said;
  };
  try {
    for (const { what, bytes } of HOSTILE_SHAPES) {
      const said = await scanned(await bytes());
      assert.match(said, /^SLUICE_MODULE_|^\d+ functions$/, what);
    }
    const real = [...(await moduleFiles()), ...(await embeddedModules())];
    for (const { name, bytes } of real) assert.match(await scanned(bytes), /^\d+ functions$/, name);
    t.diagnostic(`${HOSTILE_SHAPES.length} hostile and ${real.length} real modules`);
  } finally {
    await worker.terminate();
  }
});
