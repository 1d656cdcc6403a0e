import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

const FLAGS = ['--allow-natives-syntax', '--no-concurrent-recompilation', '--input-type=module'];
/** The bit of V8's second compiler. */
const TURBOFAN = 1 << 6;

/** Prints after how many calls a function has been compiled by the second compiler, before and after. */
const SCRIPT = `
import { compileSooner } from ${JSON.stringify(new URL('../../sandbox/v8-flags.js', import.meta.url).href)};
function callsOf(work) {
  let calls = 0;
  while ((%GetOptimizationStatus(work) & ${TURBOFAN}) === 0 && calls < 50_000) work(++calls);
  return calls;
}
%NeverOptimizeFunction(callsOf);
const fresh = () => new Function('n', 'let sum = 0; for (let i = 0; i < 4; i++) sum += n * i; return sum;');
const before = callsOf(fresh());
compileSooner();
console.log(JSON.stringify([before, callsOf(fresh())]));
`;

test('once the start is over functions are compiled after a fifth of the calls that it took before, or less', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, '--eval', SCRIPT]);
  const [before, after] = JSON.parse(stdout) as [number, number];
  assert.ok(after > 0 && after * 5 <= before, `${before} calls, then ${after}`);
});

test('V8 knows every flag that it is told', async () => {
  const url = JSON.stringify(new URL('../../sandbox/v8-flags.js', import.meta.url).href);
  const script = `const { compileSooner, setV8Flags } = await import(${url}); setV8Flags(); compileSooner();`;
  // It says on standard error that it does not, and goes on.
  const { stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  assert.equal(stderr, '');
});
