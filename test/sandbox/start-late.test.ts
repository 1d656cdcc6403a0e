import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { MessagePort } from 'node:worker_threads';
import type { FromSandbox } from '../../sandbox/messages.js';
import { Sandbox } from '../../sandbox/pool/sandbox.js';
import { BELL } from '../../sandbox/ring/ring-words.js';

const RING = { control: new SharedArrayBuffer(4), slabs: [] };

/** A sandbox whose thread is the test, which says what it posts; timers are the test's too. */
function byHand(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let port: MessagePort | undefined;
  let word = new Int32Array(new SharedArrayBuffer(0));
  const sandbox = new Sandbox((task, signal) => {
    port = task.port;
    word = new Int32Array(task.bell);
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  const post = (message: FromSandbox): void => {
    port?.postMessage(message);
    Atomics.add(word, BELL.answered, 1);
  };
  post({ kind: 'up' });
  sandbox.drain();
  let isOver = false;
  void sandbox.ended.then(() => {
    isOver = true;
  });
  const lives = async (): Promise<boolean> => {
    await new Promise(setImmediate);
    return !isOver;
  };
  t.after(async () => {
    sandbox.kill('SLUICE_SANDBOX_START', 'the test is over');
    await sandbox.ended;
  });
  return { sandbox, post, lives };
}

for (const [what, answer, code] of [
  ['is ready', { kind: 'ready', facts: [], stateful: [] }, undefined],
  [
    'was refused',
    { kind: 'failed', fault: { code: 'SLUICE_MODULE_IMPORT', message: 'x' } },
    'SLUICE_MODULE_IMPORT',
  ],
] as const) {
  test(`a chain that ${what} before its deadline is not said to hang, though the host looks later`, async t => {
    const { sandbox, post, lives } = byHand(t);
    const started = sandbox.start([], RING, 0, 300).then(
      () => undefined,
      (thrown: { code?: string }) => thrown.code,
    );
    await new Promise(setImmediate);
    t.mock.timers.tick(299);
    // No event brings it: the loop does nothing else until the deadline is over.
    post(answer);
    t.mock.timers.tick(1);
    assert.equal(await started, code);
    assert.equal(await lives(), true);
  });
}

test('a step that begins in time has its own deadline, and one that hangs is killed when that is over', async t => {
  const { sandbox, post, lives } = byHand(t);
  const started = assert.rejects(sandbox.start([], RING, 0, 300), {
    code: 'SLUICE_GUEST_DEADLINE',
    step: 'shadow',
  });
  await new Promise(setImmediate);
  t.mock.timers.tick(299);
  post({ kind: 'step', step: 'shadow' });
  t.mock.timers.tick(1);
  t.mock.timers.tick(299);
  assert.equal(await lives(), true);
  t.mock.timers.tick(1);
  await started;
});
