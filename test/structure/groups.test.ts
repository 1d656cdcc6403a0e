import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { GROUPS, UNGROUPED } from '../support/groups.js';
import { testFiles } from '../support/run-together.js';

test('every test file is run once: by one group, or by itself', () => {
  const run = testFiles([...Object.values(GROUPS).flat(), ...UNGROUPED]);
  assert.deepEqual(run, testFiles(['**/*.test.js']));
});

test('every group has its file, in test/grouped or test/system', () => {
  const names = testFiles(['{grouped,system}/*.test.js']).map(file =>
    basename(file, '.test.js').replace(/^\d-/, ''),
  );
  assert.deepEqual(names.sort(), Object.keys(GROUPS).sort());
});
