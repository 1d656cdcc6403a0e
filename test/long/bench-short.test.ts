import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Those with a short form; what they need besides is in test/bench/README.md. */
const BENCHES = [
  'attack',
  'border',
  'coap',
  'connections',
  'crash',
  'ingest',
  'leak',
  'modbus',
  'outage',
  'reload',
  'sandbox-tax',
  'tunnel',
];
/** A ratio that may be nothing, as it counts what is lost or left. */
const COUNTS =
  /^(lost|duplicated|out of order|not spooled|left in the spool|exit of |host exits|attacks not told of)/;
/** A difference, of which the sign says nothing where it is short. */
const DIFFERENCES = /ms beyond none$/;
const ENTRY = fileURLToPath(new URL('../bench/bench.js', import.meta.url));
const MOST_MS = 120_000;

interface Line {
  readonly bench: string;
  readonly ratios: Readonly<Record<string, number | null>>;
  readonly targets: Readonly<Record<string, unknown>>;
  readonly pass: boolean;
}

// How fast it was is not looked at: that takes a quiet machine, and all rounds.
for (const name of BENCHES) {
  test(`the benchmark ${name} can be run in its short form, and says all that it judges`, async () => {
    const args = ['--enable-source-maps', ENTRY, name, '--short', '--json'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: MOST_MS });
    const line = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Line;
    assert.equal(line.bench, name);
    assert.equal(typeof line.pass, 'boolean');
    assert.ok(Object.keys(line.ratios).length > 0);
    for (const [ratio, value] of Object.entries(line.ratios))
      if (COUNTS.test(ratio)) assert.equal(value, 0, ratio);
      else
        assert.ok(
          Number.isFinite(value) && (Number(value) > 0 || DIFFERENCES.test(ratio)),
          `${ratio} is ${value}`,
        );
    for (const target of Object.keys(line.targets)) assert.ok(target in line.ratios, target);
  });
}
