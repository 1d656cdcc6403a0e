import ts from 'typescript';
import type { SourceFile } from './sources.js';

export interface Exported {
  readonly name: string;
  readonly isType: boolean;
  readonly line: number;
  /** For `export { a } from './b.js'`: where it comes from. `name` there is `original`. */
  readonly from?: string;
  readonly original?: string;
}

/** What a file exports by name. `export *` is not in here; see `starTargets`. */
export function exportsOf(file: SourceFile): Exported[] {
  const found: Exported[] = [];
  const lineOf = (node: ts.Node) => file.tree.getLineAndCharacterOfPosition(node.getStart()).line + 1;
  for (const node of file.tree.statements) {
    if (ts.isExportDeclaration(node)) found.push(...fromClause(node, file, lineOf(node)));
    if (!ts.canHaveModifiers(node)) continue;
    if (!ts.getModifiers(node)?.some(modifier => modifier.kind === ts.SyntaxKind.ExportKeyword)) continue;
    const isType = ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
    for (const name of declaredNames(node)) found.push({ name, isType, line: lineOf(node) });
  }
  return found;
}

/** Files whose every export passes through (`export * from`). */
export function starTargets(file: SourceFile): string[] {
  return file.imports.flatMap(({ kind, names, target }) =>
    kind === 're-export' && names === undefined && target !== undefined ? [target] : [],
  );
}

function fromClause(node: ts.ExportDeclaration, file: SourceFile, line: number): Exported[] {
  const clause = node.exportClause;
  if (clause === undefined || !ts.isNamedExports(clause)) return [];
  const start = node.getStart();
  const from = file.imports.find(
    each =>
      each.kind === 're-export' && node.moduleSpecifier !== undefined && each.line === line && start >= 0,
  )?.target;
  return clause.elements.map(element => ({
    name: element.name.text,
    isType: node.isTypeOnly || element.isTypeOnly,
    line,
    ...(from === undefined ? {} : { from, original: (element.propertyName ?? element.name).text }),
  }));
}

function declaredNames(node: ts.Statement): string[] {
  if (ts.isVariableStatement(node)) {
    return node.declarationList.declarations.flatMap(({ name }) =>
      ts.isIdentifier(name) ? [name.text] : [],
    );
  }
  const { name } = node as ts.Statement & { name?: ts.Node };
  return name !== undefined && ts.isIdentifier(name) ? [name.text] : [];
}
