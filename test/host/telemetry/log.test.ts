import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../host/telemetry/log.js';

function logInto(environment: Record<string, string>, pretty: boolean) {
  const lines: string[] = [];
  const log = createLog({ environment, pretty, write: line => lines.push(line) });
  return { log, lines };
}

test('away from a terminal each line is one JSON object with time, level and message', () => {
  const { log, lines } = logInto({}, false);
  log.warn({ code: 'SLUICE_SOURCE_TIMEOUT', source: 'line1' }, 'no answer');
  assert.equal(lines.length, 1);
  const { time, ...rest } = JSON.parse(lines[0]!) as Record<string, string>;
  assert.deepEqual(rest, { level: 'warn', code: 'SLUICE_SOURCE_TIMEOUT', source: 'line1', msg: 'no answer' });
  assert.ok(!Number.isNaN(Date.parse(time!)));
});

test('SLUICE_LOG sets the level, and a level that is none is told', () => {
  const quiet = logInto({ SLUICE_LOG: 'ERROR' }, false);
  quiet.log.warn('not shown');
  quiet.log.error('shown');
  assert.equal(quiet.lines.length, 1);
  const wrong = logInto({ SLUICE_LOG: 'loud' }, false);
  assert.match(wrong.lines[0]!, /SLUICE_LOG=loud is no level/);
  assert.equal(wrong.log.level, 'info');
});

test('on a terminal a line is readable, and plain with NO_COLOR', () => {
  const colour = logInto({}, true);
  colour.log.warn({ source: 'line1', text: 'two words' }, 'no answer');
  const shown = colour.lines[0]!.replaceAll('\u001b', 'ESC');
  assert.match(
    shown,
    /^ESC\[33m\d\d:\d\d:\d\d\.\d{3} warn ESC\[0m no answer source=line1 text="two words"\n$/,
  );
  const plain = logInto({ NO_COLOR: '1' }, true);
  plain.log.warn('no answer');
  assert.match(plain.lines[0]!, /^\d\d:\d\d:\d\d\.\d{3} warn {2}no answer\n$/);
});

test('what a device says cannot start a new line or steer the terminal', () => {
  const { log, lines } = logInto({ NO_COLOR: '1' }, true);
  log.info({ peer: 'a\nb' }, 'first\nsecond \u001b[2J');
  assert.equal(lines[0]!.split('\n').length, 2);
  assert.ok(!lines[0]!.includes('\u001b'));
});
