import { plainName } from '../check/suggest.js';

/** The part of JSON-Schema that our schema is made of. */
export interface SchemaNode {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly title?: string;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly { readonly required?: readonly string[] }[];
}

/** The schemas that may describe what stands under `key`. */
export function schemasBelow(schemas: readonly SchemaNode[], key: string): SchemaNode[] {
  const below: SchemaNode[] = [];
  for (const schema of branches(schemas)) {
    const property = schema.properties === undefined ? undefined : own(schema.properties, key);
    if (property !== undefined) below.push(property);
    else if (schema.patternProperties !== undefined) below.push(...Object.values(schema.patternProperties));
    if (schema.items !== undefined) below.push(schema.items);
  }
  return below;
}

/** The property that is meant by an environment variable's part: capitals and underscores do not count. */
export function propertyNamed(schemas: readonly SchemaNode[], word: string): string | undefined {
  for (const schema of branches(schemas)) {
    const found = Object.keys(schema.properties ?? {}).find(key => plainName(key) === plainName(word));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** True if one of the schemas takes a value of this JSON type. */
export function takes(schemas: readonly SchemaNode[], type: string): boolean {
  return [...branches(schemas)].some(
    schema => schema.type === type || schema.enum?.some(value => typeof value === type) === true,
  );
}

function* branches(schemas: readonly SchemaNode[]): Generator<SchemaNode> {
  for (const schema of schemas) {
    if (schema.anyOf === undefined) yield schema;
    else yield* branches(schema.anyOf);
  }
}

function own<T>(map: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
