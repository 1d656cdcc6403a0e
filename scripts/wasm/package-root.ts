import { fileURLToPath } from 'node:url';

/** The root of the Sluice package, without a separator at its end: this file is dist/scripts/wasm/package-root.js. */
export const PACKAGE_ROOT = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[/\\]$/, '');
