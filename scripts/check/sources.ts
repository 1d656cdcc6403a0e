import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import ts from 'typescript';
import { ROOT } from './root.js';

const FOLDERS = ['runtime', 'sandbox', 'host', 'scripts', 'cpp-kernels', 'test'];

/** One import, export-from or dynamic import. */
export interface Import {
  /** As written. */
  readonly specifier: string;
  /** The source file from the top (`runtime/index.ts`), or undefined for a package or a built-in. */
  readonly target: string | undefined;
  /** Names asked for; undefined: all (`* as`, `export *`, dynamic). */
  readonly names: readonly string[] | undefined;
  readonly kind: 'import' | 'type' | 're-export' | 'dynamic';
  readonly line: number;
}

export interface SourceFile {
  /** From the top, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
  readonly imports: readonly Import[];
}

/** Every TypeScript file of ours, by path. Parsed, not type-checked. */
export function readSources(root: string = ROOT): Map<string, SourceFile> {
  const pattern = `{${FOLDERS.join(',')}}/**/*.ts`;
  const found = globSync(pattern, { cwd: root, exclude: ['test/bench/peers/node_modules/**', '**/*.as.ts'] });
  const paths = found.map(path => path.replaceAll('\\', '/')).filter(path => !path.endsWith('.d.ts'));
  const files = new Map<string, SourceFile>();
  for (const path of paths.sort())
    files.set(path, parseSource(path, readFileSync(`${root}/${path}`, 'utf8')));
  return files;
}

export function parseSource(path: string, text: string): SourceFile {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const imports: Import[] = [];
  const add = (
    node: ts.Node,
    specifier: string,
    kind: Import['kind'],
    names: readonly string[] | undefined,
  ) => {
    const line = tree.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    imports.push({ specifier, target: resolveImport(path, specifier), kind, names, line });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const clause = node.importClause;
      const onlyTypes =
        clause?.phaseModifier === ts.SyntaxKind.TypeKeyword || allTypes(clause?.namedBindings);
      add(node, node.moduleSpecifier.text, onlyTypes ? 'type' : 'import', importedNames(clause));
    } else if (
      ts.isExportDeclaration(node) &&
      node.moduleSpecifier &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      const clause = node.exportClause;
      const names = clause && ts.isNamedExports(clause) ? clause.elements.map(originalName) : undefined;
      add(node, node.moduleSpecifier.text, 're-export', names);
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument && ts.isStringLiteralLike(argument)) add(node, argument.text, 'dynamic', undefined);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      const { literal } = node.argument;
      if (ts.isStringLiteral(literal)) add(node, literal.text, 'type', undefined);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return { path, text, tree, imports };
}

/** `../runtime/index.js` seen from `host/a.ts` is `runtime/index.ts`. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts');
}

function importedNames(clause: ts.ImportClause | undefined): readonly string[] | undefined {
  const bindings = clause?.namedBindings;
  if (bindings !== undefined && ts.isNamespaceImport(bindings)) return undefined;
  return (bindings?.elements ?? []).map(originalName);
}

function originalName(element: ts.ImportSpecifier | ts.ExportSpecifier): string {
  return (element.propertyName ?? element.name).text;
}

function allTypes(bindings: ts.NamedImportBindings | undefined): boolean {
  if (bindings === undefined || !ts.isNamedImports(bindings)) return false;
  return bindings.elements.length > 0 && bindings.elements.every(element => element.isTypeOnly);
}
