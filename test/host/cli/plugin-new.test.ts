import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sluice } from './support.js';

const folder = await realpath(await mkdtemp(join(tmpdir(), 'sluice-new-')));
after(() => rm(folder, { recursive: true }));

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const run = (...args: string[]) => sluice(['plugin', 'new', ...args], { cwd: folder });

/** What `npm install` would bring, from what is installed here. */
async function install(project: string): Promise<void> {
  const modules = join(project, 'node_modules');
  await mkdir(join(modules, '.bin'), { recursive: true });
  await symlink(ROOT, join(modules, 'sluice'));
  for (const name of ['assemblyscript', '@assemblyscript']) {
    await symlink(join(ROOT, 'node_modules', name), join(modules, name));
  }
  // npm makes the entry executable when it links it; here a line of shell stands in for that.
  const entry = join(ROOT, 'dist/host/cli/sluice.js');
  await writeFile(join(modules, '.bin/sluice'), `#!/bin/sh\nexec node '${entry}' "$@"\n`, { mode: 0o755 });
}

function npmTest(project: string): Promise<{ code: number; output: string }> {
  return new Promise(done => {
    execFile('npm', ['test'], { cwd: project, env: environment() }, (error, out, err) => {
      done({ code: error === null ? 0 : Number(error.code), output: `${out}${err}` });
    });
  });
}

/** As a shell has it: this test may itself run under npm and under a test runner, and both leave variables. */
function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_TEST|NODE_OPTIONS)/i.test(name));
  return { ...Object.fromEntries(own), PATH: [dirname(process.execPath), process.env.PATH].join(delimiter) };
}

async function change(project: string, file: string, from: string, to: string): Promise<void> {
  const path = join(project, file);
  const text = await readFile(path, 'utf8');
  assert.ok(text.includes(from), `${file} has no ${from}`);
  await writeFile(path, text.replace(from, to));
}

test('a new plugin is a folder whose npm test is green; then it is red for a wrong vector, and for a changed source', async () => {
  const { code, stdout } = await run('level', '--lang', 'as');
  assert.equal(code, 0);
  assert.match(stdout, /cd level\n {2}npm install && npm test/);
  const project = join(folder, 'level');
  await install(project);
  const green = await npmTest(project);
  assert.equal(green.code, 0, green.output);
  assert.match(green.output, /level 1\.0\.0: 5 vectors in the sandbox, all as expected/);

  const built = await stat(join(project, 'build/level.wasm'), { bigint: true });
  // Not the vector that goes into the file.
  await change(project, 'vectors.json', '"celsius": -1', '"celsius": -2');
  const red = await sluice(['plugin', 'test'], { cwd: project });
  assert.equal(red.code, 1, red.stderr);
  assert.match(red.stdout, /FAIL {2}below zero.*\n.*payload\n +expected .*-2}\n +actual .*-1}\n +\^/);

  await change(project, 'vectors.json', '"celsius": -2', '"celsius": -1');
  assert.equal((await sluice(['plugin', 'test'], { cwd: project })).code, 0);
  const kept = await stat(join(project, 'build/level.wasm'), { bigint: true });
  assert.equal(kept.mtimeNs, built.mtimeNs, 'it was built again without a change');
  await change(project, 'assembly/index.ts', 'f64 = 0.1', 'f64 = 0.2');
  const changed = await sluice(['plugin', 'test'], { cwd: project });
  assert.equal(changed.code, 1, changed.stderr);
  assert.match(changed.stdout, /actual {4}\{"unit":1,"celsius":43\}/);
});

test('the folder of a checkout is named by path, tools by the version that this package is tested with', async () => {
  const { stdout } = await run('tank', '--dir', 'deep/er/tank', '--json');
  const report = JSON.parse(stdout) as { files: string[] };
  assert.deepEqual(
    report.files.filter(file => file.startsWith('.')),
    ['.gitignore'],
  );
  const project = join(folder, 'deep/er/tank');
  const { name, devDependencies } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'));
  assert.equal(name, 'tank');
  const { devDependencies: tested } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
  assert.equal(resolve(project, devDependencies.sluice.slice('file:'.length)), await realpath(ROOT));
  assert.equal(devDependencies.node, tested.node);
  assert.equal(devDependencies.assemblyscript, tested.assemblyscript);
  for (const file of report.files) {
    assert.doesNotMatch(await readFile(join(project, file), 'utf8'), /\{\{\w+\}\}/, file);
  }
});

test('a name that cannot be, or a language without a scaffold, is a usage error that says what can be', async () => {
  for (const name of ['Level', 'a b', '-x', '../up', 'a'.repeat(64), 'ü']) {
    const { code, stderr } = await run('--', name);
    assert.equal(code, 2, name);
    assert.match(stderr, /does not match .*\(SLUICE_PLUGIN_NAME\)/);
  }
  const { code, stderr } = await run('fine', '--lang', 'cobol');
  assert.equal(code, 2);
  assert.match(stderr, /no scaffold for "cobol"; there is one for as \(SLUICE_PLUGIN_LANGUAGE\)/);
  assert.ok(!(await readdir(folder)).includes('fine'));
});

test('a folder that is not empty, or a file in its place, is refused and left as it is', async () => {
  await mkdir(join(folder, 'full'));
  await writeFile(join(folder, 'full', 'mine.txt'), 'mine');
  const full = await run('full');
  assert.equal(full.code, 1);
  assert.match(full.stderr, /full is not empty \(SLUICE_PLUGIN_EXISTS\)/);
  assert.deepEqual(await readdir(join(folder, 'full')), ['mine.txt']);
  await writeFile(join(folder, 'file'), '');
  const file = await run('file');
  assert.equal(file.code, 1);
  assert.match(file.stderr, /SLUICE_PLUGIN_EXISTS/);
});
