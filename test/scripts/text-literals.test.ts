import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileAs, TextGuest } from '../support/chain/as-guest.js';

const LITERALS = ['plain', 'Grüße €', '𝄞 "quoted"\n', ''];
const cases = LITERALS.map((each, i) => `if (i == ${i}) return text(${JSON.stringify(each)});`).join('\n');
const bytes = await compileAs(
  `
  import { Text, text, text as t, textOf } from "sluice/as";
  import { own } from "./own";
  export { sluice_arena } from "sluice/as";
  const TOP = text("at the " + "top");
  export function top(): Text { return TOP; }
  export function literal(i: u32): Text { ${cases} return 0; }
  export function renamed(): Text { return t("renamed"); }
  const LIST: StaticArray<string> = ${JSON.stringify(LITERALS)};
  export function variable(i: u32): Text { return text(LIST[i]); }
  export function mine(): Text { return own(); }
  function utf16(literal: string): Text { return textOf(changetype<usize>(literal), <u32>literal.length << 1); }
  export function other(): Text { return utf16("other"); }
`,
  {
    'own.ts': `
    // Not the SDK's.
    function text(literal: string): u64 { return (<u64>literal.length << 33) | changetype<usize>(literal); }
    export function own(): u64 { return text("mine"); }
  `,
  },
);
const guest = new TextGuest(bytes);
const inUtf16 = (text: string): boolean => Buffer.from(bytes).includes(Buffer.from(text, 'utf16le'));

test('a literal in text() is UTF-8, wherever it stands', () => {
  for (const [i, each] of LITERALS.entries()) assert.equal(guest.call('literal', [i]).toString(), each);
});

test('literals with + in between are one, at the top of a file too', () => {
  assert.equal(guest.call('top', []).toString(), 'at the top');
  assert.ok(!inUtf16('at the'), 'no second copy in UTF-16');
});

test('text() under another name is laid out too', () => {
  assert.equal(guest.call('renamed', []).toString(), 'renamed');
  assert.ok(!inUtf16('renamed'));
});

test('the text of a variable is copied, with the same bytes', () => {
  for (const [i, each] of LITERALS.entries()) assert.equal(guest.call('variable', [i]).toString(), each);
});

test("functions of the author's own stay his, one that is called text too", () => {
  assert.equal(guest.call('mine', []).toString('utf16le'), 'mine');
  assert.equal(guest.call('other', []).toString('utf16le'), 'other');
});
