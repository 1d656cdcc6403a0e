import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { suggest } from './check/suggest.js';
import { type Environment, meaningOf } from './environment.js';
import type { Origins } from './origins.js';
import type { Path } from './problem.js';
import { type SchemaNode, schemasBelow, takes } from './schema/walk.js';

/** `${file:...}`, `${env:...}` and anything else of that shape; `$${` keeps the text as it stands. */
const REFERENCE = /(\$?)\$\{([A-Za-z]+):([^}]*)\}/g;
const LARGEST_SECRET = 64 * 1024;

/**
 * Gives a copy of `value` in which every reference is replaced by what it names. One trailing line end of a
 * secret file is cut off, as editors add it. Paths are relative to `folder`.
 */
export function resolveSecrets(
  value: unknown,
  schema: SchemaNode,
  environment: Environment,
  folder: string,
  origins: Origins,
): unknown {
  const walk = (here: unknown, schemas: SchemaNode[], path: Path): unknown => {
    if (typeof here === 'string') return text(here, schemas, path);
    if (Array.isArray(here))
      return here.map((item, index) => walk(item, schemasBelow(schemas, String(index)), [...path, index]));
    if (typeof here !== 'object' || here === null) return here;
    const copy = Object.create(null) as Record<string, unknown>;
    for (const [key, item] of Object.entries(here))
      copy[key] = walk(item, schemasBelow(schemas, key), [...path, key]);
    return copy;
  };

  const text = (here: string, schemas: readonly SchemaNode[], path: Path): unknown => {
    if (!here.includes('${')) return here;
    let found = false;
    const filled = here.replaceAll(REFERENCE, (whole, escaped: string, kind: string, name: string) => {
      if (escaped !== '') return whole.slice(1);
      found = true;
      return lookUp(kind, name, path);
    });
    if (found) origins.secret(path);
    // A number or a switch may come from a secret too.
    return found && schemas.length > 0 && !takes(schemas, 'string') ? meaningOf(filled, schemas) : filled;
  };

  const lookUp = (kind: string, name: string, path: Path): string => {
    const fail = (why: string, suggestion?: string): string => {
      origins.error(path, why, { code: 'SLUICE_CONFIG_SECRET', suggestion });
      return '';
    };
    if (kind === 'env') {
      const known = Object.keys(environment);
      return environment[name] ?? fail(`the environment variable ${name} is not set`, suggest(name, known));
    }
    if (kind === 'file') return readSecret(resolve(folder, name), fail);
    return fail(
      `\${${kind}:...} is no reference (write $\${ to keep it as text)`,
      suggest(kind, ['env', 'file']),
    );
  };

  return walk(value, [schema], []);
}

function readSecret(file: string, fail: (why: string) => string): string {
  try {
    const bytes = readFileSync(file);
    if (bytes.length > LARGEST_SECRET) return fail(`${file} is larger than a secret may be (64 KiB)`);
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r?\n$/, '');
  } catch (thrown) {
    const code = (thrown as { code?: unknown }).code;
    return fail(`${file} cannot be read (${typeof code === 'string' ? code : 'not UTF-8'})`);
  }
}
