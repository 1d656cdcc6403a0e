import assert from 'node:assert/strict';
import { test } from 'node:test';
import ts from 'typescript';
import { ERRORS, type ErrorRow } from '../../runtime/index.js';
import { readSources, type SourceFile } from '../../scripts/check/sources.js';

/** Environment variables share the prefix. */
const VARIABLES = ['SLUICE_LOG', 'SLUICE_CXX'];

const table: Readonly<Record<string, ErrorRow>> = ERRORS;
const TABLES = 'runtime/errors/';
const files = [...readSources().values()];
const sources = files.filter(file => !file.path.startsWith('test/') && !file.path.startsWith(TABLES));

/** Codes in the texts of a file; comments do not count. */
function codesIn(file: SourceFile): string[] {
  const codes: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      // A code stands whole: SLUICE_CONFIG_ alone is the beginning of several.
      codes.push(...(node.text.match(/\bSLUICE_[A-Z0-9]+(?:_[A-Z0-9]+)*\b(?!_)/g) ?? []));
    }
    ts.forEachChild(node, visit);
  };
  visit(file.tree);
  return codes.filter(code => !VARIABLES.includes(code));
}

test('every code that the tree uses is in the table', () => {
  const unknown = sources.flatMap(file =>
    codesIn(file)
      .filter(code => !Object.hasOwn(table, code))
      .map(code => `${file.path}: ${code}`),
  );
  assert.deepEqual(unknown, []);
});

test('each code stands in one of the tables', () => {
  // Joined, a second row would quietly take the place of the first.
  const codes = files
    .filter(file => file.path.startsWith(TABLES))
    .flatMap(file => file.text.match(/^ {2}SLUICE_\w+(?=: \{$)/gm) ?? [])
    .map(code => code.trim());
  assert.deepEqual(codes.sort(), Object.keys(table).sort());
});

test('every row of the table is used', () => {
  const used = new Set(sources.flatMap(codesIn));
  assert.deepEqual(
    Object.keys(table).filter(code => !used.has(code)),
    [],
  );
});

test('every row has a cause and a remedy, each a whole sentence', () => {
  for (const [code, { cause, remedy }] of Object.entries(table)) {
    assert.match(code, /^SLUICE_[A-Z]+(_[A-Z]+)+$|^SLUICE_[A-Z]+$/, code);
    for (const text of [cause, remedy]) assert.match(text, /^\S.{10,}[.]$/s, `${code}: ${text}`);
  }
});
