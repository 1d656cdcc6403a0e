import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readConfig } from '../../../host/config/load.js';
import { SluiceError } from '../../../runtime/index.js';
import { anyText } from '../../support/fuzz/any-text.js';
import { SOURCES } from './support.js';

const CODES = ['SLUICE_CONFIG_SYNTAX', 'SLUICE_CONFIG_INVALID', 'SLUICE_CONFIG_SECRET'];

async function neverUncoded(text: string, environment: Record<string, string> = {}): Promise<void> {
  try {
    await readConfig(text, 'fuzz.yaml', { environment });
  } catch (thrown) {
    assert.ok(thrown instanceof SluiceError, String(thrown));
    assert.ok(CODES.includes(thrown.code), `${thrown.code}: ${thrown.message}`);
  }
}

const words = [
  'sources',
  'sinks',
  'routes',
  'plugins',
  'modbus',
  'mqtt',
  'devices',
  'poll',
  'holding',
  'every',
  'from',
  'through',
  'to',
  'url',
  'version',
  'line1',
  '100ms',
  '0-11',
  '16MiB',
  '5',
  'null',
  'true',
  '.nan',
  '1e999',
  '0x1f',
  '~',
  '__proto__',
  'constructor',
  '&a',
  '*a',
  '<<',
  '!!binary',
  '!t',
  '${env:X}',
  '${file:/}',
  '${',
  '$${env:X}',
  '---',
  '...',
  '%YAML 1.1',
];
const punctuation = [
  ': ',
  ':\n',
  '\n',
  '\n  ',
  '\n    ',
  '- ',
  '{ ',
  ' }',
  '[',
  ']',
  ', ',
  '"',
  "'",
  '# ',
  '? ',
  '|\n',
  '>\n',
  '\t',
  '\r',
  '\0',
  '\u2028',
  '\uFEFF',
];
const yamlish = fc
  .array(fc.constantFrom(...words, ...punctuation), { maxLength: 60 })
  .map(parts => parts.join(''));

test('random text never gives an error without a code', async () => {
  await fc.assert(
    fc.asyncProperty(anyText({ maxLength: 200 }), text => neverUncoded(text)),
    { numRuns: 300 },
  );
});

test('random pieces of YAML never give an error without a code', async () => {
  await fc.assert(
    fc.asyncProperty(yamlish, text => neverUncoded(text, { X: '[' })),
    { numRuns: 1000 },
  );
});

test('a good file with a random change never gives an error without a code', async () => {
  const good = `${SOURCES}sinks: { plant: { mqtt: { url: "mqtt://a:1", qos: 1, will: { topic: t } } } }
routes: [ { from: [line1], through: [ a, { plugin: b, config: { x: 1 }, deadline: 5ms } ], to: plant } ]
`;
  const change = fc.record({
    at: fc.nat(good.length),
    drop: fc.nat(8),
    put: fc.constantFrom(...words, ...punctuation),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), changes => {
      let text = good;
      for (const { at, drop, put } of changes) text = text.slice(0, at) + put + text.slice(at + drop);
      return neverUncoded(text, { X: 'x' });
    }),
    { numRuns: 1000 },
  );
});

test('any JSON value as configuration never gives an error without a code', async () => {
  await fc.assert(
    fc.asyncProperty(fc.json(), text => neverUncoded(text)),
    { numRuns: 300 },
  );
});

test('any environment variable never gives an error without a code', async () => {
  const part = fc.constantFrom(
    'PLUGINS',
    'SOURCES',
    'LINE1',
    'MODBUS',
    'DEVICES',
    'POLL',
    '0',
    '1',
    '99999999',
    'X',
    '',
    '__PROTO__',
    'CONSTRUCTOR',
  );
  const variable = fc.array(part, { minLength: 1, maxLength: 6 }).map(parts => `SLUICE__${parts.join('__')}`);
  await fc.assert(
    fc.asyncProperty(variable, fc.oneof(yamlish, fc.string()), (name, value) =>
      neverUncoded(SOURCES, { [name]: value }),
    ),
    { numRuns: 500 },
  );
});
