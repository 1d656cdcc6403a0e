import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sluice, sluiceProcess } from './support.js';

test('--help and --version end with 0 and print to standard output', async () => {
  const help = await sluiceProcess(['--help']);
  assert.equal(help.code, 0);
  for (const word of ['start', 'demo', 'validate', 'errors', 'plugin', 'Examples:']) {
    assert.ok(help.stdout.includes(word), word);
  }
  const version = await sluiceProcess(['--version']);
  assert.equal(version.code, 0);
  assert.match(version.stdout, /^\d+\.\d+\.\d+/);
});

test('every command has a help with examples', async () => {
  const commands = [
    ['start'],
    ['demo'],
    ['validate'],
    ['errors'],
    ['plugin', 'build'],
    ['plugin', 'pack'],
    ['plugin', 'check'],
  ];
  const helps = await Promise.all(commands.map(command => sluice([...command, '--help'])));
  for (const [index, help] of helps.entries()) {
    assert.equal(help.code, 0);
    assert.match(help.stdout, /Examples:\n {2}\$ /, commands[index]!.join(' '));
  }
});

test('an unknown command, option or missing argument is a usage error: 2', async () => {
  const usages = [['strat'], ['validate', '--jsn'], ['plugin', 'check'], ['demo', '--for', 'ever']];
  const ended = await Promise.all(usages.map(usage => sluice(usage)));
  for (const { code, stdout } of ended) assert.deepEqual([code, stdout], [2, '']);
  assert.match(ended[0]!.stderr, /Did you mean start\?/);
  assert.match(ended[2]!.stderr, /\(sluice plugin check --help shows its options\)/);
});

test('a reader that goes away, as head does, ends a command without a stack trace', async () => {
  const file = fileURLToPath(new URL('../../../host/cli/sluice.js', import.meta.url));
  const child = spawn(process.execPath, [file, 'errors'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number];
  assert.deepEqual([code, said], [141, '']);
});

test('an older Node.js is told in one line, and nothing else is loaded', async () => {
  const older =
    'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.20.2" } })';
  const node = ['--import', `data:text/javascript,${encodeURIComponent(older)}`];
  const { code, stdout, stderr } = await sluiceProcess(['--help'], { node });
  assert.equal(code, 1);
  assert.equal(stdout, '');
  // npx outside of the checkout has no other Node.js at hand: how to come by one is said.
  assert.match(
    stderr,
    /^sluice: this is Node\.js 20\.20\.2, .*`npm install node@24`.* \(SLUICE_NODE_VERSION\)\n$/,
  );
});

test('the entry has no static import, so that an older Node.js gets as far as its check', async () => {
  const text = await readFile(new URL('../../../host/cli/sluice.js', import.meta.url), 'utf8');
  assert.ok(text.startsWith('#!/usr/bin/env node\n'));
  assert.doesNotMatch(text, /^\s*import /m);
});
