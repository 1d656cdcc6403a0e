import assert from 'node:assert/strict';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { type TestContext, test } from 'node:test';
import { SpinGate } from '../../sandbox/ring/spin-gate.js';

/** A gate as on a machine with so many cores. */
function gateOn(t: TestContext, cores: number): SpinGate {
  const real = t.mock.method(os, 'availableParallelism', () => cores);
  syncBuiltinESMExports();
  const gate = new SpinGate();
  real.mock.restore();
  syncBuiltinESMExports();
  return gate;
}

/** Numbers of the questions, from 1 on, that were answered with yes. */
function opened(gate: SpinGate, questions: number): number[] {
  const answers = Array.from({ length: questions }, () => gate.isOpen);
  return answers.flatMap((open, i) => (open ? [i + 1] : []));
}

/** Looking in vain, until the gate closes: how often. */
function wastedUntilClosed(gate: SpinGate): number {
  let wasted = 0;
  for (; gate.isOpen && wasted < 1000; wasted++) gate.wasted();
  return wasted;
}

test('a gate is open until looking again was in vain four times', t => {
  assert.equal(wastedUntilClosed(gateOn(t, 2)), 4);
});

test('what paid makes up for what was in vain: a gate stays open as long as every third look pays', t => {
  const gate = gateOn(t, 2);
  for (let turn = 0; turn < 100; turn++) {
    gate.wasted();
    gate.wasted();
    gate.paid();
    assert.equal(gate.isOpen, true);
  }
});

test('good times are not remembered for ever: after any number of them twelve looks in vain close a gate', t => {
  const gate = gateOn(t, 2);
  for (let turn = 0; turn < 1000; turn++) gate.paid();
  assert.equal(wastedUntilClosed(gate), 12);
});

test('a closed gate lets every 64th try pass, however long it was closed', t => {
  const gate = gateOn(t, 2);
  for (let turn = 0; turn < 1000; turn++) gate.wasted();
  assert.deepEqual(opened(gate, 200), [64, 128, 192]);
});

test('one try that pays opens a closed gate again', t => {
  const gate = gateOn(t, 2);
  for (let turn = 0; turn < 1000; turn++) gate.wasted();
  gate.paid();
  assert.deepEqual(opened(gate, 3), [1, 2, 3]);
  assert.equal(wastedUntilClosed(gate), 2);
});

test('with one core a gate never opens, whatever paid', t => {
  const gate = gateOn(t, 1);
  for (let turn = 0; turn < 100; turn++) gate.paid();
  assert.deepEqual(opened(gate, 200), []);
});
