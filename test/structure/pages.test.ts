import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../scripts/check/root.js';

/** Names of folders without pages of ours; a template's pages have their links where it is unpacked. */
const LEFT_OUT: readonly string[] = ['node_modules', 'dist', 'templates'];
/** What a page tells its reader to write. */
const TO_WRITE: readonly string[] = ['test/cpp-kernels/rectify.test.ts', 'plugins-wasm/level'];
const TREE = /^(?:host|sandbox|runtime|plugins-wasm|cpp-kernels|examples|scripts|test)\/[\w./-]+$/;

const PAGES = globSync('**/*.md', { cwd: ROOT, exclude: name => LEFT_OUT.includes(name) });

/** What a pattern finds in the pages, with page and line. */
function* found(pattern: RegExp): Generator<{ page: string; at: string; what: string }> {
  for (const page of PAGES)
    for (const [index, line] of readFileSync(join(ROOT, page), 'utf8').split('\n').entries())
      for (const [, what = ''] of line.matchAll(pattern)) yield { page, at: `${page}:${index + 1}`, what };
}

/** Of its headings, as GitHub makes them. */
function anchors(page: string): string[] {
  const headings = readFileSync(page, 'utf8').matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, text = '']) =>
    text
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

test('every link from page to page leads to a file, and to a heading where it names one', () => {
  let links = 0;
  for (const { page, at, what } of found(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(what)) continue;
    links++;
    const [path = '', heading] = what.split('#');
    const target = join(ROOT, path === '' ? page : join(dirname(page), path));
    assert.ok(existsSync(target), `${at}: ${what}`);
    if (heading !== undefined) assert.ok(anchors(target).includes(heading), `${at}: ${what}`);
  }
  assert.ok(links > 30, `${links} links`);
});

test('what a page names by its path in the tree is there', () => {
  let paths = 0;
  for (const { at, what } of found(/`([^`\s]+)`/g)) {
    if (!TREE.test(what) || TO_WRITE.includes(what)) continue;
    paths++;
    assert.ok(existsSync(join(ROOT, what)), `${at}: ${what}`);
  }
  assert.ok(paths > 20, `${paths} paths`);
});
