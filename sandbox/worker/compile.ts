import { SluiceError } from '../../runtime/index.js';

/**
 * @param original bytes of the file that `bytes` were made of by writing caps into it: code lies behind those, so that
 * the engine's offsets are moved by the difference
 * @throws SluiceError SLUICE_MODULE_COMPILE
 */
export function compile(bytes: Uint8Array, plugin: string, original = bytes.length): WebAssembly.Module {
  try {
    return new WebAssembly.Module(bytes);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const inFile = why.replace(/ @\+(\d+)$/, (_, at) => ` at byte ${Number(at) - bytes.length + original}`);
    throw new SluiceError('SLUICE_MODULE_COMPILE', `${plugin}: ${inFile}`, {
      step: 'compile',
      plugin,
      cause: thrown,
    });
  }
}
