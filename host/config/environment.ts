import { parseDocument } from 'yaml';
import { plainName } from './check/suggest.js';
import type { Origins } from './origins.js';
import { propertyNamed, type SchemaNode, schemasBelow, takes } from './schema/walk.js';

export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'SLUICE__';

/**
 * Puts `SLUICE__PLUGINS__DEADLINE=50ms` or `SLUICE__SOURCES__LINE1__MODBUS__DEVICES__0__PORT=1502` over what
 * the file says, in place. Parts are matched without regard to capitals, dashes and single underscores, first with
 * the keys that are there, then with those of the schema. A new name of a source or sink is taken in lower case.
 */
export function applyEnvironment(
  root: unknown,
  schema: SchemaNode,
  environment: Environment,
  origins: Origins,
): void {
  for (const variable of Object.keys(environment).sort()) {
    const text = environment[variable];
    if (text === undefined || !variable.toUpperCase().startsWith(PREFIX)) continue;
    const parts = variable.slice(PREFIX.length).split('__');
    if (parts.some(part => part === '')) {
      origins.variable([variable], variable);
      origins.error([variable], 'has an empty part; write SLUICE__SECTION__KEY');
      continue;
    }
    put(root, schema, variable, parts, text, origins);
  }
}

type Container = Record<string, unknown> | unknown[];

function put(
  root: unknown,
  schema: SchemaNode,
  variable: string,
  parts: string[],
  text: string,
  origins: Origins,
): void {
  let here = root;
  let schemas = [schema];
  const path: (string | number)[] = [];
  for (const [index, part] of parts.entries()) {
    if (!isContainer(here)) {
      origins.variable(path, variable);
      origins.error(path, `holds no map or list that "${part}" could be set in`);
      return;
    }
    const key = keyIn(here, schemas, part);
    if (Array.isArray(here) && (typeof key !== 'number' || key > here.length)) {
      origins.variable([...path, part], variable);
      origins.error([...path, part], `is no place of this list; the next free one is ${here.length}`);
      return;
    }
    path.push(key);
    schemas = schemasBelow(schemas, String(key));
    const map = here as Record<string | number, unknown>;
    if (index === parts.length - 1) {
      map[key] = meaningOf(text, schemas);
      origins.variable(path, variable);
      return;
    }
    if (map[key] === undefined || map[key] === null) {
      map[key] = takes(schemas, 'array') && /^\d+$/.test(parts[index + 1]!) ? [] : Object.create(null);
      origins.variable(path, variable);
    }
    here = map[key];
  }
}

function keyIn(here: Container, schemas: readonly SchemaNode[], part: string): string | number {
  if (Array.isArray(here)) return /^\d{1,6}$/.test(part) ? Number(part) : part;
  const present = Object.keys(here).find(key => plainName(key) === plainName(part));
  return present ?? propertyNamed(schemas, part) ?? part.toLowerCase();
}

/** Text where the schema asks for text; else what the text means as YAML (`5`, `true`, `[a, b]`). */
export function meaningOf(text: string, schemas: readonly SchemaNode[]): unknown {
  if (schemas.length > 0 && takes(schemas, 'string') && !/^\s*[[{]/.test(text)) return text;
  try {
    const document = parseDocument(text, { prettyErrors: false, logLevel: 'silent' });
    if (document.errors.length > 0) return text;
    const value: unknown = document.toJS({ maxAliasCount: 0 });
    // Through JSON: only plain values get in, whatever tags the text has.
    return JSON.parse(JSON.stringify(value ?? text));
  } catch {
    return text;
  }
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}
