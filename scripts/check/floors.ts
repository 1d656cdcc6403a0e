import { builtinModules } from 'node:module';
import type { Import, SourceFile } from './sources.js';

/** What each top-level folder may import from the others; always through their index.ts. */
const BELOW: Readonly<Record<string, readonly string[]>> = {
  runtime: [],
  sandbox: ['runtime'],
  host: ['sandbox', 'runtime'],
  scripts: ['runtime'],
  'cpp-kernels': [],
  test: ['host', 'sandbox', 'runtime', 'scripts', 'cpp-kernels'],
};

/** Imported by themselves because they have to run before anything else is loaded. */
const ALONE: Readonly<Record<string, string>> = {
  'sandbox/v8-flags.ts': 'host/cli/sluice.ts',
  'sandbox/young-space.ts': 'host/cli/sluice.ts',
};

/** Built-ins that reach outside of the process or its memory. */
const INPUT_OUTPUT = [
  'net',
  'tls',
  'dgram',
  'dns',
  'http',
  'https',
  'http2',
  'fs',
  'fs/promises',
  'child_process',
];
/** Packages that speak to the outside; the sandbox floor has none of them. */
const OUTSIDE_PACKAGES = ['fastify', 'mqtt', 'aedes', 'modbus-serial', 'coap'];

/** Imports that break the floors, each as `file:line: why`. */
export function checkFloors(files: ReadonlyMap<string, SourceFile>): string[] {
  const problems: string[] = [];
  for (const file of files.values()) {
    for (const each of file.imports) {
      const why =
        each.target === undefined
          ? outsideProblem(file.path, each.specifier)
          : insideProblem(file.path, each, files);
      if (why !== undefined) problems.push(`${file.path}:${each.line}: ${why}`);
    }
  }
  return [...problems, ...findCycles(files)];
}

function insideProblem(
  from: string,
  { target = '', specifier }: Import,
  files: ReadonlyMap<string, SourceFile>,
): string | undefined {
  if (!files.has(target) && !target.endsWith('.d.ts')) return `${specifier} is no source file`;
  const [here = '', there = ''] = [floorOf(from), floorOf(target)];
  if (here === there) return undefined;
  if (!BELOW[here]?.includes(there)) return `${here}/ may not import ${there}/ (${specifier})`;
  if (here === 'test' || target === `${there}/index.ts` || ALONE[target] === from) return undefined;
  return `${there}/ is imported through ${there}/index.ts only (${specifier})`;
}

function outsideProblem(from: string, specifier: string): string | undefined {
  const builtin = builtinModules.includes(specifier) || specifier.startsWith('node:');
  const name = specifier.replace(/^node:/, '');
  if (floorOf(from) === 'runtime') return `runtime/ imports nothing but itself (${specifier})`;
  if (from.startsWith('host/protocols/') && builtin && INPUT_OUTPUT.includes(name)) {
    return `host/protocols/ does no input or output (${specifier})`;
  }
  if (floorOf(from) === 'sandbox' && (builtin ? INPUT_OUTPUT : OUTSIDE_PACKAGES).includes(name)) {
    return `sandbox/ has no files, sockets or HTTP (${specifier})`;
  }
  return undefined;
}

/** Circles of imports that exist when the program runs; types are gone by then. */
function findCycles(files: ReadonlyMap<string, SourceFile>): string[] {
  const problems: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (state.get(path) === 'done') return;
    if (state.get(path) === 'open') {
      problems.push(`import circle: ${[...trail.slice(trail.indexOf(path)), path].join(' -> ')}`);
      return;
    }
    state.set(path, 'open');
    for (const { kind, target } of files.get(path)?.imports ?? []) {
      if (kind !== 'type' && kind !== 'dynamic' && target !== undefined) visit(target, [...trail, path]);
    }
    state.set(path, 'done');
  };
  for (const path of files.keys()) visit(path, []);
  return problems;
}

function floorOf(path: string): string {
  return path.split('/')[0] ?? '';
}
