import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ObjectInstance, type SavedState, SluiceError } from '../../runtime/index.js';
import { textOf } from './admission/support.js';

const converter = { configure() {}, convert: () => [] };

test('a component exports a copy of its state, and another takes it', () => {
  const own = new Uint8Array([1, 2, 3]);
  const taken: SavedState[] = [];
  const make = (): ObjectInstance =>
    new ObjectInstance(
      {
        ...converter,
        exportState: () => [7, own],
        importState: (version, bytes) => void taken.push({ version, bytes }),
      },
      'tally',
    );
  const one = make();
  assert.ok(one.isStateful);
  const state = one.exportState();
  own.fill(0);
  make().importState(state);
  assert.deepEqual(taken, [{ version: 7, bytes: new Uint8Array([1, 2, 3]) }]);
});

test('a component that refuses a state says why; one without the two functions has none', () => {
  const refusing = new ObjectInstance(
    {
      ...converter,
      exportState: () => [1, new Uint8Array(0)],
      importState() {
        throw Object.assign(new Error(), { payload: { tag: 'configuration', val: 'too old' } });
      },
    },
    'tally',
  );
  assert.throws(
    () => refusing.importState({ version: 1, bytes: new Uint8Array(0) }),
    (error: unknown) =>
      error instanceof SluiceError && error.code === 'SLUICE_STATE_REFUSED' && /too old/.test(error.message),
  );
  assert.equal(new ObjectInstance(converter, 'plain').isStateful, false);
});

test('a module with one of the two functions, or with another type of them, is refused before it is compiled', async () => {
  const exported = '(func (export "export-state") (result i32) (i32.const 0))';
  assert.match(await textOf(exported), /import-state is missing/);
  const imported = '(func (export "import-state") (param i32) (result i32) (i32.const 0))';
  assert.match(
    await textOf(`${exported} ${imported}`),
    /import-state is func \(i32:i32\), not func \(i32,i32,i32:i32\)/,
  );
});
