import { SluiceError } from '../../runtime/index.js';

/** @throws SluiceError SLUICE_MODULE_COMPILE */
export function compile(bytes: Uint8Array, plugin: string): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new SluiceError('SLUICE_MODULE_COMPILE', `${plugin}: ${why}`, {
      step: 'compile',
      plugin,
      cause: thrown,
    });
  }
}
