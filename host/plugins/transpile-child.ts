/** Runs in a process of its own: component.wasm in the folder it is given becomes plugin.js, core modules and imports.json. */
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { readComponent } from '../../runtime/index.js';

const folder = process.argv[2] as string;

/** What is said in our own words. */
const OWN = [
  'SLUICE_COMPONENT_TOOLS',
  'SLUICE_MODULE_MALFORMED',
  'SLUICE_MODULE_FEATURE',
  'SLUICE_MODULE_CEILING',
];

async function main(): Promise<void> {
  // An optional peer: only those who run components install it.
  const tools = await import('@bytecodealliance/jco-transpile').catch(thrown => {
    throw Object.assign(new Error(`@bytecodealliance/jco-transpile cannot be loaded: ${thrown.message}`), {
      code: 'SLUICE_COMPONENT_TOOLS',
    });
  });
  const component = await readFile(join(folder, 'component.wasm'));
  const { imports } = readComponent(component);
  await writeFile(join(folder, 'imports.json'), JSON.stringify(imports));
  const { files } = await tools.transpileBytes(component, {
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
    const own = OWN.includes(thrown.code);
    const code = own ? thrown.code : 'SLUICE_COMPONENT_TRANSPILE';
    process.send?.(
      { code, message: thrown instanceof Error ? thrown.message : String(thrown?.payload ?? thrown) },
      () => process.exit(1),
    );
  },
);
