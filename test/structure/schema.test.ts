import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { schemaText } from '../../host/config/schema/schema.js';

test('the published schema is the one that the program checks against (npm run build:schema)', async () => {
  const published = await readFile(new URL('../../../sluice.schema.json', import.meta.url), 'utf8');
  assert.deepEqual(JSON.parse(published), JSON.parse(schemaText()));
});

test('the schema is one by the meta-schema of JSON Schema 2020-12, which a start does not look at', () => {
  const ajv = new Ajv2020({ strictTypes: false });
  assert.ok(ajv.validateSchema(JSON.parse(schemaText()) as object), ajv.errorsText());
});

test('no map of the schema lets unknown keys through', () => {
  const open: string[] = [];
  const visit = (node: Record<string, unknown>, path: string): void => {
    if (node.type === 'object' && node.additionalProperties !== false) open.push(path);
    for (const [key, value] of Object.entries(node)) {
      if (typeof value === 'object' && value !== null)
        visit(value as Record<string, unknown>, `${path}/${key}`);
    }
  };
  visit(JSON.parse(schemaText()) as Record<string, unknown>, '');
  assert.deepEqual(open, []);
});
