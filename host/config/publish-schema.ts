/** Writes sluice.schema.json at the top of the repository: `npm run build:schema`. A test holds it up to date. */
import { writeFileSync } from 'node:fs';
import { schemaText } from './schema/schema.js';

// From dist/host/config/ up to the top.
writeFileSync(new URL('../../../sluice.schema.json', import.meta.url), schemaText());
