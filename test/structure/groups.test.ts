import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GROUPS, UNGROUPED } from '../support/groups.js';
import { testFiles } from '../support/run-together.js';

test('every test file is run once: by one group, or by itself', () => {
  const run = testFiles([...Object.values(GROUPS).flat(), ...UNGROUPED]);
  assert.deepEqual(run, testFiles(['**/*.test.js']));
});

test('every group has its file in test/grouped', () => {
  const names = testFiles(['grouped/*.test.js']).map(file =>
    file.slice('grouped/'.length, -'.test.js'.length),
  );
  assert.deepEqual(names, Object.keys(GROUPS).sort());
});
