import { setFlagsFromString } from 'node:v8';

/** 1 GiB of 64 KiB pages; the cap of each plugin is written into its module and is far lower. */
const MOST_MEMORY_PAGES = 16_384;
/** 1,000 breaks Node itself; by default a table of 10 million entries may be asked for, and ends the process. */
const MOST_TABLE_ENTRIES = 100_000;

/**
 * Flags of V8 for this process and all threads that start later. Has to run before the first WebAssembly module is
 * compiled, so the program's entry imports this file by itself, before anything else.
 */
export function setV8Flags(): void {
  // With dynamic tiering a loop over a large memory.fill cannot be killed for over 20 s; without it in 3 to 5 ms.
  setFlagsFromString('--no-wasm-dynamic-tiering');
  // The second net behind our own scanner.
  setFlagsFromString(`--wasm-max-mem-pages=${MOST_MEMORY_PAGES}`);
  setFlagsFromString(`--wasm-max-table-size=${MOST_TABLE_ENTRIES}`);
}
