/**
 * Finds managed objects in what the AssemblyScript compiler made, before it is optimised. They live where the plugin's
 * arena lives, so each call of the gateway would write over them: such a plugin builds, and then gives wrong bytes.
 */

/** Where a source makes a managed object. */
export interface Managed {
  /** `assembly/index.ts:12:20`; without debug locations the name of the function. */
  readonly at: string;
  /** What makes it, as the compiler names it: `~lib/string/String#concat`. */
  readonly by: string;
}

/** All that the stub runtime allocates goes through these two. */
const ALLOCATORS = /^~lib\/rt\/stub\/__(?:alloc|realloc)$/;
const FUNCTION = /^ \(func \$("[^"]*"|[^\s()]+)/;
const CALL = /\(call \$("[^"]*"|[^\s()]+)/;
const PLACE = /^\s*;;@ (.+)$/;

interface Called {
  readonly name: string;
  /** The last place in the author's source that was passed on the way here. */
  readonly at: string;
}

/** @param text the module as text (binaryen's emitText) */
export function findManaged(text: string): Managed[] {
  const functions = readCalls(text);
  const makers = new Set([...functions.keys()].filter(name => ALLOCATORS.test(name)));
  if (makers.size === 0) return [];
  // What of the standard library comes to an allocator, over however many steps.
  for (let known = -1; known !== makers.size; ) {
    known = makers.size;
    for (const [name, calls] of functions) {
      if (isLibrary(name) && calls.some(call => makers.has(call.name))) makers.add(name);
    }
  }
  const found = [...functions]
    .filter(([name]) => !isLibrary(name))
    .flatMap(([, calls]) => calls.filter(call => makers.has(call.name)))
    .map(({ at, name }): Managed => ({ at, by: name }));
  return [...new Map(found.map(each => [each.at, each])).values()];
}

function readCalls(text: string): Map<string, Called[]> {
  const functions = new Map<string, Called[]>();
  let calls: Called[] = [];
  let at = '';
  for (const line of text.split('\n')) {
    const name = plain(FUNCTION.exec(line)?.[1]);
    if (name !== undefined) {
      calls = [];
      functions.set(name, calls);
      at = name;
    }
    const place = PLACE.exec(line)?.[1];
    if (place !== undefined && !isLibrary(place)) at = place;
    const called = plain(CALL.exec(line)?.[1]);
    if (called !== undefined) calls.push({ name: called, at });
  }
  return functions;
}

function isLibrary(name: string): boolean {
  return name.startsWith('~lib/');
}

function plain(name: string | undefined): string | undefined {
  return name?.startsWith('"') ? name.slice(1, -1) : name;
}
