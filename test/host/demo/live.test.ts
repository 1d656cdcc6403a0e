import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Waiting } from '../../support/devices/gateway-peers.js';

const ENTRY = fileURLToPath(new URL('../../../host/cli/sluice.js', import.meta.url));
/** util-linux; every Debian has it. */
const hasScript = spawnSync('script', ['--version']).status === 0;
const skip = hasScript ? false : 'there is no script(1) to make a pseudo terminal with';
/** Throws in the middle of everything when `x` is pressed. */
const CRASH = `--import 'data:text/javascript,process.stdin.on("data",k=>{if(String(k)==="x")throw new Error("boom")})'`;

/** The demo on a pseudo terminal of 100 by 40; the terminal's settings are printed behind it. */
class Session extends Waiting {
  text = '';
  readonly ended: Promise<number | null>;
  readonly #write: (keys: string) => void;

  constructor(t: TestContext, node = '') {
    super();
    const command = `stty cols 100 rows 40; '${process.execPath}' ${node} '${ENTRY}' demo; code=$?; stty -a; exit $code`;
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      env: { ...process.env, NO_COLOR: '1', TERM: 'xterm', SHELL: '/bin/sh' },
    });
    t.after(() => child.kill());
    this.ended = new Promise(resolve => child.once('close', resolve));
    this.#write = keys => child.stdin.write(keys);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
      this.changed();
    });
  }

  async press(key: string, ...shown: readonly string[]): Promise<void> {
    const from = this.text.length;
    this.#write(key);
    for (const text of shown) await this.shows(text, from);
  }

  shows(text: string, from = 0): Promise<void> {
    return this.until(`"${text}" on the screen`, () => this.text.includes(text, from));
  }
}

test('on a terminal: u swaps the plugin, b is refused with its reason, q gives the terminal back', {
  skip,
}, async t => {
  const session = new Session(t);
  await session.shows('modbus-json 0.1.0');
  await session.press('u', '✓ swapped 0.2.0: modbus-json.wasm serves', 'modbus-json 0.2.0');
  await session.press('b', '✗ refused modbus-json.wasm: the file begins with 54 68 69 73');
  await session.press('q');
  assert.equal(await session.ended, 0);
  const [screen, after] = session.text.split('\u001b[?1049l');
  assert.ok(screen!.includes('\u001b[?1049h'));
  assert.match(after!, /frames in, \d+ messages out, 0 lost, 0 duplicated, 0 faults/);
  assert.match(after!, / icanon.* echo /s);
});

test('after a crash the terminal is as it was, and the report stands on the ordinary screen', {
  skip,
}, async t => {
  const session = new Session(t, CRASH);
  await session.shows('modbus-json 0.1.0');
  await session.press('x');
  assert.notEqual(await session.ended, 0);
  const after = session.text.split('\u001b[?1049l')[1];
  assert.match(after!, /boom/);
  assert.match(after!, / icanon.* echo /s);
});
