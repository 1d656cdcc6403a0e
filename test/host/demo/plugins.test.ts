import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { PLUGINS } from '../../../host/demo/plugins.js';

test('what builds before npm start builds every plugin that the demo copies, and none that it does not', async () => {
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as {
    scripts: Record<string, string>;
  };
  const [, built] = /build-demo\.js (.*)$/.exec(scripts.prestart ?? '') ?? [];
  assert.deepEqual(built?.split(' '), [...PLUGINS]);
});
