import { fileURLToPath } from 'node:url';

/** The top of the repository, from dist/scripts/check/. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
