/** Runs in a process of its own: component.wasm in the folder it is given becomes plugin.js and core modules. */
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

const folder = process.argv[2] as string;

async function main(): Promise<void> {
  // An optional peer: only those who run components install it.
  const tools = await import('@bytecodealliance/jco-transpile').catch(thrown => {
    throw Object.assign(new Error(`@bytecodealliance/jco-transpile cannot be loaded: ${thrown.message}`), {
      code: 'SLUICE_COMPONENT_TOOLS',
    });
  });
  const { files } = await tools.transpileBytes(await readFile(join(folder, 'component.wasm')), {
    name: 'plugin',
    instantiation: 'sync',
    wasiShim: false,
    nodejsCompat: false,
    tlaCompat: false,
    base64Cutoff: 0,
    emitTypescriptDeclarations: false,
  });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, basename(name)), bytes);
}

main().then(
  () => process.disconnect(),
  thrown => {
    const code = thrown.code === 'SLUICE_COMPONENT_TOOLS' ? thrown.code : 'SLUICE_COMPONENT_TRANSPILE';
    process.send?.(
      { code, message: thrown instanceof Error ? thrown.message : String(thrown?.payload ?? thrown) },
      () => process.exit(1),
    );
  },
);
