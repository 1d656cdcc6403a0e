/**
 * `npm start` before the demo (`node dist/scripts/build-demo.js PLUGIN...`): emits what runs, and builds the plugins named. In
 * a fresh checkout both side by side, as the compiler of C++ takes longer than all else, and without the tests, which are
 * half of the tree. esbuild emits this file alone, each time, as there may be nothing else yet: it imports no other of the
 * tree.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, relative, resolve } from 'node:path';
import ts from 'typescript';

const ROOT = resolve(import.meta.dirname, '../..');
const TSC = 'node_modules/typescript/bin/tsc';
const BUILDER = 'scripts/build-wasm';

process.chdir(ROOT);
const parsed = ts.getParsedCommandLineOfConfigFile(
  'tsconfig.json',
  {},
  {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: found => fail([found]),
  },
);
if (parsed === undefined) throw new Error('tsconfig.json cannot be read');
const { options, fileNames } = parsed;

const isFirst = !existsSync('dist/.tsbuildinfo');
if (isFirst) emitBuilder();
const early = isFirst ? buildPlugins() : undefined;
// An error of the types ends this here.
process.on('exit', () => early?.kill());
if (existsSync('dist/test'))
  execFileSync(process.execPath, [TSC, '-p', 'tsconfig.json'], { stdio: 'inherit' });
else emit(fileNames.filter(file => !relative(ROOT, file).startsWith('test')));
for (const step of ['prune', 'bundle-threads'])
  execFileSync(process.execPath, [`dist/scripts/${step}.js`], { stdio: 'inherit' });
const builder = early ?? buildPlugins();
if (builder.exitCode === null) await once(builder, 'exit');
process.exitCode = builder.exitCode ?? 1;

function buildPlugins(): ChildProcess {
  return spawn(process.execPath, [`dist/${BUILDER}.js`, ...process.argv.slice(2)], { stdio: 'inherit' });
}

/** What builds the plugins, without a look at its types: these are looked at in `emit`, which gives the same bytes. */
function emitBuilder(): void {
  const seen = new Set<string>();
  // All of the folder counts as what a plugin was made by.
  const queue = globSync('scripts/wasm/*.ts').map(file => file.replaceAll('\\', '/').replace(/\.ts$/, ''));
  queue.push(BUILDER);
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const text = seen.has(name) ? undefined : ts.sys.readFile(`${name}.ts`);
    seen.add(name);
    if (text === undefined) continue;
    // It does not look for a package.json, which says that they are modules.
    const compilerOptions = { ...options, module: ts.ModuleKind.ESNext };
    const { outputText } = ts.transpileModule(text, { compilerOptions, fileName: `${name}.ts` });
    const out = join('dist', `${name}.js`);
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(out, outputText);
    for (const { fileName } of ts.preProcessFile(text).importedFiles)
      if (fileName.startsWith('.'))
        queue.push(posix.join(posix.dirname(name), fileName).replace(/\.js$/, ''));
  }
}

/**
 * As `tsc` does, which goes on from there with the rest. What is there with the same bytes is left alone: the builder may
 * be about to read it.
 */
function emit(rootNames: readonly string[]): void {
  const host = ts.createIncrementalCompilerHost(options);
  const write = host.writeFile;
  host.writeFile = (name, text, ...rest) => {
    if (ts.sys.readFile(name) !== text) write(name, text, ...rest);
  };
  const program = ts.createIncrementalProgram({ rootNames, options, host });
  const found = [
    ...program.getOptionsDiagnostics(),
    ...program.getSyntacticDiagnostics(),
    ...program.getSemanticDiagnostics(),
    ...program.emit().diagnostics,
  ];
  if (found.length > 0) fail(found);
}

function fail(found: readonly ts.Diagnostic[]): never {
  const format = {
    getCanonicalFileName: (name: string) => name,
    getCurrentDirectory: () => ROOT,
    getNewLine: () => '\n',
  };
  process.stderr.write(ts.formatDiagnostics(found, format));
  process.exit(2);
}
