/** One guest from source to the bytes that stand in front of its manifest. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Transform } from 'assemblyscript/transform';
import { loadAsc, sdkReader } from './assemblyscript.js';
import { cppHeaders, type GuestJob } from './guest.js';
import { findManaged } from './managed.js';
import { mergeData } from './merge-data.js';
import { renameExports } from './rename-exports.js';
import { textLiterals } from './text-literals.js';
import { buildFailed, resolveToolchain, type Toolchain } from './toolchain.js';

export interface Compiled {
  readonly bytes: Uint8Array;
  /** For the manifest. */
  readonly toolchain: string;
}

/** Without libc and exceptions; no SIMD unless the source asks for it, so that all builds agree bit by bit. */
const CPP_FLAGS = [
  '-O2',
  '-fno-unroll-loops',
  '-Wall',
  '-Wextra',
  '-ffreestanding',
  '-nostdlibinc',
  '-fno-exceptions',
  '-fvisibility=hidden',
  '-ffp-contract=off',
  '-mbulk-memory',
  '-msign-ext',
];
/** Compilers declare no memory maximum by themselves. The gateway's own cap is lower. */
const MAX_MEMORY = 256 * 1024 * 1024;
const LINK_FLAGS = [
  '--no-entry',
  '--strip-all',
  '--gc-sections',
  '--stack-first',
  '-z',
  'stack-size=65536',
  `--max-memory=${MAX_MEMORY}`,
];

let cpp: Promise<Toolchain> | undefined;
/** Guests that differ in what is linked, or in their manifest only, are compiled once. */
const objects = new Map<string, Promise<Uint8Array>>();

/** @throws SluiceError SLUICE_PLUGIN_BUILD */
export async function compileGuest(job: GuestJob): Promise<Compiled> {
  const { entry } = job.description;
  const compiled = entry.endsWith('.ts')
    ? await compileAssemblyScript(job)
    : entry.endsWith('.wat')
      ? await compileText(job)
      : await compileCpp(job);
  return job.description.component === true ? makeComponent(job, compiled) : compiled;
}

async function compileCpp(job: GuestJob): Promise<Compiled> {
  cpp ??= resolveToolchain();
  const toolchain = await cpp;
  const { entry, defines = [], link = [], simd = false, verb } = job.description;
  const language = entry.endsWith('.c') ? ['-std=c11'] : ['-std=c++20', '-fno-rtti'];
  const request = {
    source: join(job.folder, entry),
    include: cppHeaders(job.root),
    flags: [
      ...language,
      ...CPP_FLAGS,
      ...(simd !== false && simd !== 'none' ? ['-msimd128'] : []),
      ...defines.map(define => `-D${define}`),
    ],
  };
  const key = JSON.stringify(request);
  const object = objects.get(key) ?? toolchain.compile(request);
  objects.set(key, object);
  const names = verb === undefined ? new Map<string, string>() : exportsOf(verb);
  const wanted = [...names.keys()].map(name => `--export-if-defined=${name}`);
  const linked = await toolchain.link(await object, [...LINK_FLAGS, ...wanted, ...link]);
  return { bytes: renameExports(linked, names), toolchain: toolchain.label };
}

/** What a verb of a source with several of them exports, and what that is called in its module. */
function exportsOf(verb: string): Map<string, string> {
  const prefix = verb.replaceAll('-', '_');
  return new Map([
    [`${prefix}_configure`, 'configure'],
    [`${prefix}_convert`, 'convert'],
    [`${prefix}_process`, 'process'],
    [`${prefix}_flush`, 'flush'],
    [`${prefix}_export_state`, 'export-state'],
    [`${prefix}_import_state`, 'import-state'],
  ]);
}

async function compileAssemblyScript(job: GuestJob): Promise<Compiled> {
  const made = await runAsc(job, []);
  if (!made.managed) return made;
  // Once more with debug locations, which would change the result: it is not going to be used.
  const { managed = 'managed objects' } = await runAsc(job, ['--sourceMap']);
  throw buildFailed(`asc ${job.description.entry}`, managed);
}

async function runAsc(
  job: GuestJob,
  more: readonly string[],
): Promise<Compiled & { readonly managed: string | undefined }> {
  const asc = await loadAsc(job.folder);
  let bytes: Uint8Array | undefined;
  let managed: string | undefined;
  const words: string[] = [];
  const say = { write: (chunk: string | Uint8Array): void => void words.push(String(chunk)) };
  const { error } = await asc.main(
    [
      job.description.entry,
      ...['--baseDir', job.folder, '--outFile', 'guest.wasm', '--bindings', 'none'],
      ...['--runtime', 'stub', '--use', 'abort=', '--noAssert'],
      ...['--optimizeLevel', '2', '--shrinkLevel', '0', '--converge'],
      ...['--maximumMemory', String(MAX_MEMORY / 65536)],
      ...more,
    ],
    {
      stdout: say,
      stderr: say,
      transforms: [
        textLiterals(),
        watchModule(text => {
          managed = managedAt(text);
          if (managed !== undefined) throw new Error('managed objects');
        }),
      ],
      readFile: sdkReader(job.root),
      writeFile: (_name, contents) => {
        bytes = typeof contents === 'string' ? new TextEncoder().encode(contents) : new Uint8Array(contents);
      },
    },
  );
  if (managed === undefined && (error !== null || bytes === undefined))
    throw buildFailed(`asc ${job.description.entry}`, `${words.join('')}${error?.message ?? ''}`);
  const made = bytes === undefined ? new Uint8Array(0) : mergeData(bytes);
  return { bytes: made, toolchain: `assemblyscript ${asc.version}`, managed };
}

/** Sees the module ahead of the optimiser, which takes most of the time and inlines the allocator away. */
function watchModule(watch: (text: string) => void): Transform {
  const transform: Pick<Transform, 'afterCompile'> = {
    afterCompile: (module: { emitText(): string }) => watch(module.emitText()),
  };
  // The compiler asks of each method whether it is there.
  return transform as Transform;
}

/** The places, for the author; undefined if there are none. */
function managedAt(text: string): string | undefined {
  const found = findManaged(text);
  if (found.length === 0) return undefined;
  return [
    'managed objects (new, array literals, texts made with + or string methods), which the calls of the gateway write over:',
    ...found.slice(0, 20).map(({ at, by }) => `  ${at}  by ${by}`),
    ...(found.length > 20 ? [`  and ${found.length - 20} more places`] : []),
    'Write texts with put..., take memory with allocate or keep: plugins-wasm/sdk-as/README.md',
  ].join('\n');
}

async function compileText(job: GuestJob): Promise<Compiled> {
  const { parse } = await import('@bytecodealliance/jco-transpile/wasm-tools');
  try {
    const bytes = await parse(readFileSync(join(job.folder, job.description.entry), 'utf8'));
    return { bytes, toolchain: 'wasm-tools' };
  } catch (error) {
    throw buildFailed(job.description.entry, String(error));
  }
}

async function makeComponent(job: GuestJob, core: Compiled): Promise<Compiled> {
  const { componentEmbed, componentNew } = await import('@bytecodealliance/jco-transpile/wasm-tools');
  try {
    const embedded = await componentEmbed({
      binary: core.bytes,
      witSource: readFileSync(join(job.root, 'runtime/plugin.wit'), 'utf8'),
      world: job.description.kind,
    });
    const bytes = await componentNew(embedded);
    return { bytes, toolchain: `${core.toolchain}, wasm-tools` };
  } catch (error) {
    throw buildFailed(`component of ${job.description.entry}`, String(error));
  }
}
