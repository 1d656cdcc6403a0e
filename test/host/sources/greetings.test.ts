import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Greetings } from '../../../host/sources/tunnel/greetings.js';

test('a client is greeted once, five to ten milliseconds after it came', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const pass = (milliseconds: number): void => {
    for (let n = 0; n < milliseconds; n++) t.mock.timers.tick(1);
  };
  const greetings = new Greetings();
  const greeted: string[] = [];
  const come = (name: string): void => greetings.soon({ greet: () => void greeted.push(name) });
  come('first');
  pass(4);
  come('second');
  pass(5);
  assert.deepEqual(greeted, []);
  pass(1);
  assert.deepEqual(greeted, ['first', 'second']);
  pass(100);
  come('third');
  pass(5);
  come('fourth');
  assert.deepEqual(greeted, ['first', 'second']);
  pass(5);
  assert.deepEqual(greeted, ['first', 'second', 'third']);
  pass(5);
  assert.deepEqual(greeted, ['first', 'second', 'third', 'fourth']);
});
