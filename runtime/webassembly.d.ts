/** The part of the WebAssembly JavaScript API that is used here (its types come with the DOM's only). */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
    static exports(
      module: Module,
    ): { name: string; kind: 'function' | 'table' | 'memory' | 'global' | 'tag' }[];
    static imports(module: Module): { module: string; name: string; kind: string }[];
  }
  class Instance {
    constructor(module: Module, imports?: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, unknown>;
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  class CompileError extends Error {}
  class LinkError extends Error {}
  class RuntimeError extends Error {}
  function validate(bytes: Uint8Array): boolean;
}
