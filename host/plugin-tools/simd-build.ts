import { existsSync } from 'node:fs';

/**
 * A kernel is built twice from one source: NAME.wasm with SIMD and NAME-scalar.wasm without, equal bit by bit in what
 * they give out. With SLUICE_NO_SIMD set (to anything but 0) the second is taken where it lies beside the first.
 */
export function pickBuild(file: string, environment: NodeJS.ProcessEnv = process.env): string {
  const { SLUICE_NO_SIMD: without = '' } = environment;
  if (without === '' || without === '0' || !file.endsWith('.wasm')) return file;
  const scalar = file.replace(/\.wasm$/, '-scalar.wasm');
  return existsSync(scalar) ? scalar : file;
}
