/**
 * Makes `text("...")` of the AssemblyScript SDK a constant: the literal's bytes in UTF-8 lie in the module's data, and
 * the call becomes their place and length. Without it the literal would be UTF-16 with a header of 20 bytes, and copied
 * when the plugin starts.
 */
import type { Transform } from 'assemblyscript/transform';

/** What is used of the compiler's syntax tree. */
interface Tree {
  readonly kind: number;
  range: unknown;
}
interface Source extends Tree {
  readonly internalPath: string;
  readonly statements: readonly Tree[];
}
interface Parser {
  readonly sources: readonly Source[];
  parseFile(text: string, path: string, isEntry: boolean): void;
}
interface Import extends Tree {
  readonly path: { readonly value: string };
  readonly declarations:
    | readonly { readonly foreignName: { readonly text: string }; readonly name: { readonly text: string } }[]
    | null;
}
interface Call extends Tree {
  readonly expression: { readonly text?: string };
  readonly args: readonly (Literal | Sum)[];
}
interface Literal extends Tree {
  readonly literalKind: number;
  readonly value: unknown;
}
interface Sum extends Tree {
  readonly operator: number;
  readonly left: Literal | Sum;
  readonly right: Literal | Sum;
}

/** NodeKind, LiteralKind and Token of the compiler (src/ast.ts, src/tokenizer.ts). */
const BINARY = 9;
const CALL = 10;
const LITERAL = 17;
const IMPORT = 43;
const STRING = 2;
const PLUS = 81;
/** The SDK, from a plugin of any folder, from this tree and from within. */
const SDK = /^sluice\/as$|(?:^|\/)sdk-as\/assembly(?:\/text)?$|^\.\/text$/;

export function textLiterals(): Transform {
  const transform: Pick<Transform, 'afterParse'> = {
    afterParse: (parser: unknown) => {
      for (const source of (parser as Parser).sources) layOut(source, parser as Parser);
    },
  };
  // The compiler asks of each method whether it is there.
  return transform as Transform;
}

function layOut(source: Source, parser: Parser): void {
  const names = new Set(source.statements.flatMap(importedAs));
  if (names.size === 0) return;
  replaceIn(source.statements, tree => {
    const literal = tree.kind === CALL ? argumentOf(tree as Call, names) : undefined;
    return literal === undefined ? undefined : constant(literal, tree, parser);
  });
}

/** The names under which a statement imports `text`. */
function importedAs(statement: Tree): string[] {
  if (statement.kind !== IMPORT) return [];
  const { path, declarations } = statement as Import;
  if (!SDK.test(path.value)) return [];
  return (declarations ?? [])
    .filter(({ foreignName }) => foreignName.text === 'text')
    .map(({ name }) => name.text);
}

function argumentOf({ expression, args }: Call, names: ReadonlySet<string>): string | undefined {
  const [argument] = args;
  return names.has(expression.text ?? '') && argument !== undefined && args.length === 1
    ? literalOf(argument)
    : undefined;
}

/** A literal, or several with + in between. */
function literalOf(tree: Literal | Sum): string | undefined {
  if (tree.kind === LITERAL && 'value' in tree && tree.literalKind === STRING) return tree.value as string;
  if (tree.kind !== BINARY || !('operator' in tree) || tree.operator !== PLUS) return undefined;
  const left = literalOf(tree.left);
  const right = literalOf(tree.right);
  return left === undefined || right === undefined ? undefined : left + right;
}

/** A `Text` that the compiler can reckon: low half the address, high half the length. */
function constant(literal: string, at: Tree, parser: Parser): Tree {
  const bytes = new TextEncoder().encode(literal);
  const place = `(<u64>${bytes.length * 2 ** 32} | <u64>memory.data<u8>([${bytes.join()}]))`;
  const inner = new (parser.constructor as new () => Parser)();
  inner.parseFile(bytes.length === 0 ? '<u64>0' : place, 'text', false);
  const made = (inner.sources[0]!.statements[0] as Tree & { readonly expression: Tree }).expression;
  // Whatever the compiler says about it, it says at the place of the call.
  for (const tree of treesIn(made)) tree.range = at.range;
  return made;
}

/** Replaces trees below `holder`, wherever they hang. */
function replaceIn(holder: object, replace: (tree: Tree) => Tree | undefined): void {
  for (const [key, value] of Object.entries(holder)) {
    if (!isBelow(key, value)) continue;
    const other = isTree(value) ? replace(value) : undefined;
    if (other !== undefined) (holder as Record<string, unknown>)[key] = other;
    else replaceIn(value, replace);
  }
}

function treesIn(value: object): Tree[] {
  const below = Object.entries(value).flatMap(([key, each]) => (isBelow(key, each) ? treesIn(each) : []));
  return isTree(value) ? [value, ...below] : below;
}

/** A range leads back to the source, and so up again. */
function isBelow(key: string, value: unknown): value is object {
  return key !== 'range' && (Array.isArray(value) || isTree(value));
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && 'kind' in value && 'range' in value;
}
