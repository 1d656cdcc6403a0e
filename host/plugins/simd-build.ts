import { existsSync } from 'node:fs';

/**
 * A kernel is built twice from one source: NAME.wasm with SIMD and NAME-scalar.wasm without, equal bit by bit in what
 * they give out. With SLUICE_NO_SIMD set (to anything but 0) the second is taken where it lies beside the first.
 */
export function pickBuild(file: string, environment: NodeJS.ProcessEnv = process.env): string {
  if (!withoutSimd(environment) || !file.endsWith('.wasm')) return file;
  const scalar = file.replace(/\.wasm$/, '-scalar.wasm');
  return existsSync(scalar) ? scalar : file;
}

/** The files of a folder that a gateway looks at: of two builds of one kernel the one that `pickBuild` takes. */
export function withoutOtherBuild(
  names: readonly string[],
  environment: NodeJS.ProcessEnv = process.env,
): string[] {
  const all = new Set(names);
  return names.filter(name => {
    const simd = name.replace(/-scalar\.wasm$/, '.wasm');
    const scalar = simd.replace(/\.wasm$/, '-scalar.wasm');
    if (simd === scalar || !all.has(simd) || !all.has(scalar)) return true;
    return name === (withoutSimd(environment) ? scalar : simd);
  });
}

function withoutSimd({ SLUICE_NO_SIMD: without = '' }: NodeJS.ProcessEnv): boolean {
  return without !== '' && without !== '0';
}
