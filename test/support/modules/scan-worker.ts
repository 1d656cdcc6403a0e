/** In a thread with little heap: scans modules, and tells what became of each. */
import { parentPort } from 'node:worker_threads';
import { scan } from '../../../runtime/admission/scan/scan.js';
import { SluiceError } from '../../../runtime/index.js';

parentPort?.on('message', (bytes: Uint8Array) => {
  const before = process.memoryUsage().arrayBuffers;
  let said: string;
  try {
    said = `${scan(bytes).functions} functions`;
  } catch (thrown) {
    said = thrown instanceof SluiceError ? thrown.code : String(thrown);
  }
  parentPort?.postMessage({ said, buffers: process.memoryUsage().arrayBuffers - before });
});
