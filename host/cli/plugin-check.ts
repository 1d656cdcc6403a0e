import {
  admit,
  defaultRules,
  type Manifest,
  type ModuleKind,
  readSections,
  SluiceError,
} from '../../runtime/index.js';
import { parseSize } from '../config/units.js';
import { readComponent } from '../plugin-tools/component-parts.js';
import { sha256 } from '../plugin-tools/module-file.js';
import { type PluginFile, readPlugin } from '../plugin-tools/plugin-file.js';
import { EXIT } from './exit.js';

interface Report {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly kind: ModuleKind;
  readonly manifest: Manifest;
  /** Name (custom) or id, and size in bytes. */
  readonly sections: readonly { section: string | number; bytes: number }[];
  /** `module.name (kind)`; of a component its own, `name (kind)`. */
  readonly imports: readonly string[];
  readonly exports: readonly string[];
  /** The core modules inside a component. */
  readonly modules?: readonly { bytes: number; imports: readonly string[]; exports: readonly string[] }[];
}

/**
 * Prints what a gateway would find in the file.
 * @throws SluiceError with the code that the gateway would refuse it by
 */
export async function checkPlugin(
  file: string,
  options: { memory: string; json?: boolean },
): Promise<number> {
  const memory = parseSize(options.memory);
  if (memory === undefined) {
    process.stderr.write(`sluice: --memory ${options.memory} is no size such as 16MiB\n`);
    return EXIT.usage;
  }
  const report = inspect(await readPlugin(file), memory);
  process.stdout.write(options.json ? `${JSON.stringify({ ok: true, ...report })}\n` : show(report));
  return EXIT.ok;
}

function inspect({ file, bytes, kind, manifest }: PluginFile, memory: number): Report {
  const sections = readSections(bytes).map(section => ({
    section: section.name ?? section.id,
    bytes: section.end - section.offset,
  }));
  const rules = defaultRules(manifest.name, memory);
  const base = { file, bytes: bytes.length, sha256: sha256(bytes), kind, manifest, sections };
  if (kind === 'component') {
    const { imports, exports, modules } = readComponent(bytes);
    const inside = modules.map(module => ({
      bytes: module.length,
      ...compile(admit(module, 'inside a component', rules).bytes, file),
    }));
    return { ...base, imports, exports, modules: inside };
  }
  return { ...base, ...compile(admit(bytes, manifest.kind, rules).bytes, file) };
}

function compile(bytes: Uint8Array, file: string): Pick<Report, 'imports' | 'exports'> {
  let module: WebAssembly.Module;
  try {
    module = new WebAssembly.Module(new Uint8Array(bytes));
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new SluiceError('SLUICE_MODULE_COMPILE', `${file}: ${why}`, { cause: thrown });
  }
  return {
    imports: WebAssembly.Module.imports(module).map(each => `${each.module}.${each.name} (${each.kind})`),
    exports: WebAssembly.Module.exports(module).map(each => `${each.name} (${each.kind})`),
  };
}

function show({ file, bytes, kind, manifest, sections, imports, exports, modules = [] }: Report): string {
  const list = (items: readonly string[]) => (items.length === 0 ? 'none' : items.join(', '));
  const lines = [
    `${file}: ok`,
    `  plugin    ${manifest.name} ${manifest.version}, ${manifest.kind} of contract ${manifest.abi}`,
    `  file      ${bytes} bytes, ${kind === 'core' ? 'core module' : 'component'}, sha256 ${manifest.sha256}`,
    `  accepts   ${list(manifest.accepts)}`,
    `  made by   ${manifest.toolchain ?? 'not said'}, source ${manifest.source ?? 'not said'}`,
    `  vectors   ${manifest.vectors?.length ?? 0}`,
    `  sections  ${list(sections.map(each => `${each.section} (${each.bytes})`))}`,
  ];
  lines.push(`  imports   ${list(imports)}`, `  exports   ${list(exports)}`);
  for (const inside of modules) {
    lines.push(
      `  inside    a core module of ${inside.bytes} bytes`,
      `    imports ${list(inside.imports)}`,
      `    exports ${list(inside.exports)}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
