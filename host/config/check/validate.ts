import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import type { Static, TSchema } from 'typebox';
import type { Origins, ProblemDetail } from '../origins.js';
import type { Path } from '../problem.js';
import { LATER } from '../schema/schema.js';
import type { SchemaNode } from '../schema/walk.js';
import { suggest } from './suggest.js';

const compiled = new Map<TSchema, ReturnType<Ajv2020['compile']>>();

/** True if `value` is of the schema. What is not is added to `origins`, in the user's words. */
export function validate<T extends TSchema>(value: unknown, schema: T, origins: Origins): value is Static<T> {
  const check = compiled.get(schema) ?? compile(schema);
  if (check(value)) return true;
  const errors = withoutBranches(check.errors ?? []);
  const guessed = new Set<string>();
  // Misspelt keys first: they explain what is missing.
  const order = (error: ErrorObject) => (error.keyword === 'additionalProperties' ? 0 : 1);
  for (const error of errors.sort((a, b) => order(a) - order(b))) report(error, value, origins, guessed);
  return false;
}

function compile(schema: TSchema): ReturnType<Ajv2020['compile']> {
  const options = {
    allErrors: true,
    verbose: true,
    strictTypes: false,
    logger: false,
    // That it is a schema, a test holds; the code for it is used a few times and not worth being made smaller. Both
    // together would be the longest single part of a start.
    validateSchema: false,
    code: { optimize: false },
  } as const;
  const check = new Ajv2020(options).compile(schema);
  compiled.set(schema, check);
  return check;
}

/**
 * Of "one of these forms" the validator gives the errors of every form. Keeps those of the one form that has the
 * type of what was written, or else only the sentence that names the forms.
 */
function withoutBranches(errors: readonly ErrorObject[]): ErrorObject[] {
  let kept = [...errors];
  for (const choice of errors) {
    if (choice.keyword !== 'anyOf' && choice.keyword !== 'oneOf') continue;
    const prefix = `${choice.schemaPath}/`;
    const inside = kept.filter(
      error => error.schemaPath.startsWith(prefix) && error.instancePath.startsWith(choice.instancePath),
    );
    const branch = (error: ErrorObject) => error.schemaPath.slice(prefix.length).split('/')[0];
    const wrongType = new Set(
      inside
        .filter(error => error.keyword === 'type' && error.instancePath === choice.instancePath)
        .map(branch),
    );
    const meant = new Set(inside.map(branch).filter(name => !wrongType.has(name)));
    const useful = choice.keyword === 'anyOf' && meant.size === 1;
    kept = kept.filter(error =>
      useful
        ? error !== choice && (!inside.includes(error) || meant.has(branch(error)))
        : !inside.includes(error),
    );
  }
  return kept;
}

function report(error: ErrorObject, root: unknown, origins: Origins, guessed: Set<string>): void {
  const path = pathOf(error.instancePath, root);
  const schema = error.parentSchema as SchemaNode;
  const params = error.params as Readonly<Record<string, unknown>>;
  const key = (detail: ProblemDetail = {}): ProblemDetail => ({ at: 'key', ...detail });
  switch (error.keyword) {
    case 'additionalProperties':
      unknownKey(path, String(params.additionalProperty), schema, origins, guessed);
      return;
    case 'required': {
      const missing = String(params.missingProperty);
      // The misspelt key beside it has been reported with this very name.
      if (!guessed.has(JSON.stringify([...path, missing])))
        origins.error(path, `"${missing}" is missing`, key());
      return;
    }
    case 'type':
    case 'anyOf':
    case 'pattern':
      origins.error(path, `must be ${expected(schema)}, but ${actual(error.data, path, origins)}`);
      return;
    case 'enum': {
      const allowed = (params.allowedValues as unknown[]).map(String);
      const text = `must be ${allowed.join(' or ')}, but ${actual(error.data, path, origins)}`;
      origins.error(path, text, { suggestion: suggest(String(error.data), allowed) });
      return;
    }
    case 'oneOf':
      origins.error(
        path,
        `needs exactly one of ${(schema.oneOf ?? []).flatMap(one => one.required ?? []).join(', ')}`,
      );
      return;
    case 'minProperties':
      origins.error(path, 'is empty', key());
      return;
    case 'maxProperties':
      origins.error(path, 'names more than one protocol; give each its own name', key());
      return;
    case 'minItems':
    case 'minLength':
      origins.error(path, 'is empty');
      return;
    case 'minimum':
    case 'maximum': {
      const side = error.keyword === 'minimum' ? 'least' : 'most';
      origins.error(path, `must be at ${side} ${params.limit}, but ${actual(error.data, path, origins)}`);
      return;
    }
    case 'exclusiveMinimum':
      origins.error(path, `must be more than ${params.limit}, but ${actual(error.data, path, origins)}`);
      return;
    case 'uniqueItems':
      origins.error(path, 'names the same thing twice');
      return;
    default:
      origins.error(path, error.message ?? 'is not valid');
  }
}

function unknownKey(
  path: Path,
  key: string,
  schema: SchemaNode,
  origins: Origins,
  guessed: Set<string>,
): void {
  const here = [...path, key];
  if (schema.title === 'map of headers') {
    origins.error(here, 'is no name of an HTTP header', { at: 'key' });
    return;
  }
  if (schema.patternProperties !== undefined) {
    origins.error(
      here,
      'is no usable name: letters, digits, ".", "_" and "-", at most 64, a letter or digit first',
      {
        at: 'key',
      },
    );
    return;
  }
  const known = Object.keys(schema.properties ?? {});
  const later =
    path.length === 2 && path[0] === 'sources'
      ? LATER.source
      : path[0] === 'sinks' && path.length === 2
        ? LATER.sink
        : [];
  if (later.includes(key)) {
    origins.error(here, `"${key}" is not in this version yet; it has ${known.join(', ')}`, { at: 'key' });
    return;
  }
  const suggestion = suggest(key, known);
  if (suggestion !== undefined) guessed.add(JSON.stringify([...path, suggestion]));
  const choices = suggestion === undefined ? ` (known here: ${known.join(', ')})` : '';
  origins.error(here, `unknown key${choices}`, { at: 'key', suggestion });
}

const TYPES: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'a map',
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};

function expected(schema: SchemaNode): string {
  if (schema.anyOf !== undefined) return schema.anyOf.map(expected).join(' or ');
  if (schema.title === undefined) return TYPES[schema.type ?? ''] ?? 'something else';
  const examples = schema.examples === undefined ? '' : ` (such as ${schema.examples.join(', ')})`;
  return `a ${schema.title}${examples}`;
}

function actual(data: unknown, path: Path, origins: Origins): string {
  if (data === null) return 'has no value';
  if (origins.isSecret(path)) return 'is something else';
  if (typeof data === 'string') return `is "${data.length > 60 ? `${data.slice(0, 60)}...` : data}"`;
  if (Array.isArray(data)) return 'is a list';
  return typeof data === 'object' ? 'is a map' : `is ${String(data)}`;
}

/** A JSON pointer as path; a number only where it is a place in a list. */
function pathOf(pointer: string, root: unknown): Path {
  const path: (string | number)[] = [];
  let here = root;
  for (const raw of pointer.split('/').slice(1)) {
    const part = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    const key = Array.isArray(here) ? Number(part) : part;
    path.push(key);
    here = (here as Record<string | number, unknown> | null | undefined)?.[key];
  }
  return path;
}
