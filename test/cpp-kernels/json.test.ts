import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DirectRunner, loadStage } from '../support/chain/direct-runner.js';

const BUILDS = ['test/guests/json.wasm', 'test/guests/json-c.wasm'] as const;

async function runner(config: unknown, file: string = BUILDS[0]): Promise<DirectRunner> {
  return new DirectRunner([await loadStage(file, config)]);
}

/** What the guest makes of a text: the same JSON without white space, or the code of its fault. */
function rewrite(guest: DirectRunner, text: string): { text: string; properties: unknown } | string {
  const payload = Buffer.from(text).toString('hex');
  const [outcome] = guest.run([{ source: 's', topic: 't', timestamp: '1', payload, properties: [] }]);
  if (outcome === undefined || 'fault' in outcome) return outcome?.fault.code ?? 'nothing';
  const [message] = outcome.messages;
  return { text: Buffer.from(message?.payload ?? '', 'hex').toString(), properties: message?.properties };
}

const textOf = (guest: DirectRunner, json: string): string => {
  const made = rewrite(guest, json);
  return typeof made === 'string' ? made : made.text;
};

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

for (const build of BUILDS) {
  test(`${build} finds keys, walks arrays and reads numbers, texts and flags of its configuration`, async () => {
    const points = [
      { label: 'a "b" \u00e9\ud83d\ude00', more: [{}, [[]], 'x\\'], at: 3 },
      { at: -1, label: '' },
    ];
    const guest = await runner({ scale: -2.5e-3, prefix: 'plant/', strict: true, points }, build);
    assert.deepEqual(rewrite(guest, '1'), {
      text: '1',
      properties: [
        ['scale', '-0.0025'],
        ['prefix', 'plant/'],
        ['strict', 'yes'],
        ['point', '3 a "b" \u00e9\ud83d\ude00'],
        ['point', '-1 '],
      ],
    });
  });
}

test('a configuration that is not as the plugin asks is refused with the byte of the mistake', async () => {
  const cases: [unknown, RegExp][] = [
    [{ scale: 'fast' }, /bad configuration at byte 9/],
    [{ strict: 1 }, /bad configuration at byte 10/],
    [{ points: [{ label: 'x' }] }, /bad configuration at byte 11/],
    [{ points: [{ at: 1.5 }] }, /bad configuration at byte 17/],
    [{ points: [{ at: 65536 }] }, /bad configuration at byte 17/],
    [{ points: {} }, /bad configuration at byte 10/],
    [{ other: 1 }, /unknown key at byte 9/],
    [[], /bad configuration at byte 0/],
  ];
  for (const [config, words] of cases) await assert.rejects(runner(config), words);
});

test('any JSON comes through the reader as JavaScript reads it', async () => {
  const guest = await runner({});
  const number = fc.oneof(
    fc.integer(),
    fc
      .tuple(fc.integer({ min: -99999, max: 99999 }), fc.integer({ min: 0, max: 9 }))
      .map(([n, p]) => n / 10 ** p),
  );
  const value = fc.letrec(tie => ({
    any: fc.oneof(
      { maxDepth: 5, withCrossShrink: true },
      fc.oneof(fc.string({ unit: 'grapheme' }), number, fc.boolean(), fc.constant(null)),
      fc.array(tie('any'), { maxLength: 4 }),
      fc.dictionary(fc.string({ unit: 'grapheme' }), tie('any'), { maxKeys: 4 }),
    ),
  })).any;
  fc.assert(
    fc.property(value, fc.constantFrom(undefined, 1, '\t'), fc.boolean(), (json, indent, escaped) => {
      const plain = JSON.stringify(json, undefined, indent);
      const written = escaped
        ? plain.replace(/[\u0080-\uffff]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
        : plain;
      assert.deepEqual(
        JSON.parse(textOf(guest, ` ${written}\n`)),
        JSON.parse(plain.replaceAll(/(?<=[:[,\s])-0(?=[,}\]\s])/g, '0')),
      );
    }),
    { numRuns: 500 },
  );
});

test('what JavaScript does not read is refused, and nothing else is', async () => {
  const guest = await runner({});
  const piece = fc.constantFrom(
    ...[
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '"a"',
      '"\\u00e9"',
      '"\\ud83d\\ude00"',
      '"\\n"',
      '"\\x"',
      '"\\u12"',
      '"\n"',
    ],
    ...[
      '0',
      '-',
      '01',
      '1.',
      '.5',
      '1.5',
      '1e',
      '1E+2',
      '-0',
      'e5',
      'true',
      'fals',
      'false',
      'null',
      'nul',
      ' ',
      '\t',
      '\u0000',
    ],
  );
  const text = fc.array(piece, { minLength: 1, maxLength: 8 }).map(pieces => pieces.join(''));
  fc.assert(
    fc.property(text, json => {
      const made = textOf(guest, json);
      // Written anew by both: JavaScript drops a double key, and has short escapes.
      if (parses(json)) assert.equal(JSON.stringify(JSON.parse(made)), JSON.stringify(JSON.parse(json)));
      else assert.equal(made, 'SLUICE_CONVERT_MALFORMED');
    }),
    { numRuns: 4000 },
  );
});

test('each kind of mistake is one', async () => {
  const guest = await runner({});
  const bad = [
    '',
    ' ',
    '1 2',
    '{"a":1,}',
    '[1,]',
    '[,1]',
    '[1 2]',
    '{"a" 1}',
    '{a:1}',
    '[}',
    '{]',
    '"',
    '"\\',
    '"\\u',
    '+1',
    '--1',
  ];
  for (const json of [
    ...bad,
    '"\\ud800"',
    '"\\ude00"',
    '"\\ud800\\u0041"',
    '"a\tb"',
    '[[1]',
    'true1',
    'NaN',
  ]) {
    assert.equal(textOf(guest, json), 'SLUICE_CONVERT_MALFORMED', json);
  }
});

test('64 levels are read, one more is refused', async () => {
  const guest = await runner({});
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  assert.equal(textOf(guest, nested(64)), nested(64));
  assert.equal(textOf(guest, nested(65)), 'SLUICE_CONVERT_MALFORMED');
  assert.equal(textOf(guest, '['.repeat(100_000)), 'SLUICE_CONVERT_MALFORMED');
});
