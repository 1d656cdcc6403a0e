import { posix } from 'node:path';
import ts from 'typescript';
import { type Exported, exportsOf, starTargets } from './exports.js';
import { resolveImport, type SourceFile } from './sources.js';

type Files = ReadonlyMap<string, SourceFile>;

/**
 * Exports that nothing imports and files that nothing reaches, each as `file:line: why`. A type that is used in its
 * own file counts as used: signatures need it. `entries` are files that are run, not imported.
 */
export function findDeadCode(files: Files, entries: Iterable<string>): string[] {
  const used = usedNames(files);
  const reached = reach(files, entries);
  const problems: string[] = [];
  for (const file of files.values()) {
    if (!reached.has(file.path)) {
      problems.push(`${file.path}:1: nothing imports or runs this file`);
      continue;
    }
    for (const each of exportsOf(file)) {
      if (used.has(idOf(file.path, each.name)) || (each.isType && isShown(file, each))) continue;
      problems.push(`${file.path}:${each.line}: nothing imports "${each.name}"`);
    }
  }
  return problems;
}

/** `file\nname` of everything that some file asks for, followed to where it is declared. */
function usedNames(files: Files): Set<string> {
  const used = new Set<string>();
  const table = new Map([...files.values()].map(file => [file.path, exportsOf(file)]));
  const use = (path: string, name: string): void => {
    const id = idOf(path, name);
    if (used.has(id)) return;
    used.add(id);
    const file = files.get(path);
    if (file === undefined) return;
    const found = table.get(path)?.find(each => each.name === name);
    if (found?.from !== undefined) use(found.from, found.original ?? name);
    if (found === undefined) for (const target of starTargets(file)) use(target, name);
  };
  const useAll = (path: string): void => {
    for (const each of table.get(path) ?? []) use(path, each.name);
    const file = files.get(path);
    if (file !== undefined) for (const target of starTargets(file)) useAll(target);
  };
  for (const file of files.values()) {
    // What a worker file exports is called by whoever starts it.
    for (const named of namedFiles(file)) useAll(named);
    for (const { kind, names, target } of file.imports) {
      if (target === undefined || kind === 're-export') continue;
      if (names === undefined) useAll(target);
      else for (const name of names) use(target, name);
    }
  }
  return used;
}

/** Files that are reached from the entries: by imports, and by texts that name a file to run (worker files). */
function reach(files: Files, entries: Iterable<string>): Set<string> {
  const reached = new Set<string>();
  const queue = [...entries];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const file = files.get(path);
    if (file === undefined || reached.has(path)) continue;
    reached.add(path);
    for (const { target } of file.imports) if (target !== undefined) queue.push(target);
    queue.push(...namedFiles(file));
  }
  return reached;
}

/** `new URL('./worker.js', import.meta.url)` and the like. */
function namedFiles(file: SourceFile): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (ts.isStringLiteralLike(node) && node.text.endsWith('.js')) {
      const text = node.text.startsWith('.') ? node.text : `./${node.text}`;
      found.push(
        resolveImport(file.path, text) ?? '',
        posix
          .normalize(node.text)
          .replace(/^(\.\.\/)*/, '')
          .replace(/^dist\//, '')
          .replace(/\.js$/, '.ts'),
      );
    }
    ts.forEachChild(node, visit);
  };
  visit(file.tree);
  return found;
}

/** A type that stands in a signature of its own file, or that a floor's index shows to readers of signatures. */
function isShown(file: SourceFile, type: Exported): boolean {
  return type.from !== undefined || countName(file, type) > 1;
}

function countName(file: SourceFile, { name }: Exported): number {
  let count = 0;
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && node.text === name) count += 1;
    ts.forEachChild(node, visit);
  };
  visit(file.tree);
  return count;
}

function idOf(path: string, name: string): string {
  return `${path}\n${name}`;
}
