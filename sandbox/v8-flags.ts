import { setFlagsFromString } from 'node:v8';

/** 1 GiB of 64 KiB pages; the cap of each plugin is written into its module and is far lower. */
const MOST_MEMORY_PAGES = 16_384;
/** 1,000 breaks Node itself; by default a table of 10 million entries may be asked for, and ends the process. */
const MOST_TABLE_ENTRIES = 100_000;

/**
 * V8 collects in as many threads as Node keeps for it, and these are four however few the processors: beside a guest that
 * fills its heap the loop of the gateway was one of six threads that wanted a core. So what stops a thread is done by that
 * thread, and one helper marks. (V8's own `--single-threaded-gc` has to stand on the command line; without parallel marking
 * set in its stead V8 ends the process.)
 */
const FEW_COLLECTORS = [
  '--no-parallel-scavenge',
  '--no-parallel-compaction',
  '--no-parallel-pointer-update',
  '--no-parallel-weak-ref-clearing',
  '--concurrent-marking-max-worker-num=1',
];

/**
 * Bytes of bytecode that V8 takes into one function from those that it calls, in all and of each; it has 920 and 460. A frame
 * goes through some thirty small functions of a dozen files, and each call that is left costs as much as what it does: with
 * room for all of them a message from the tunnel took 0.49 us of processor time and not 0.54 (medians of 16 rounds in turns).
 */
const INLINED = 4000;
const INLINED_EACH = 2000;

/**
 * Eight seconds into a quiet time V8 collects once or twice to make the process smaller, and as it means to reduce memory it
 * gives up what compiled code knows of objects, too: the next burst finds that code gone, and four threads compile it again
 * while frames are counted. Bursts of a second with nine seconds between them took 0.65 us of processor time a message, half
 * of it in the fifth that went to the compiler, and take 0.51; a gateway that rests has the same 177 MiB with and without. So
 * it collects then as it does at any other time.
 */
const REST_KEEPS_CODE = '--no-memory-reducer-favors-memory';

/** Calls behind which V8 compiles a function for the first time, and for the second; it has 400 and 3,000. */
const CALLS_TO_MAGLEV = 100;
const CALLS_TO_TURBOFAN = 500;

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
  for (const flag of FEW_COLLECTORS) setFlagsFromString(flag);
  setFlagsFromString(`--max-inlined-bytecode-size-cumulative=${INLINED}`);
  setFlagsFromString(`--max-inlined-bytecode-size=${INLINED_EACH}`);
  setFlagsFromString(REST_KEEPS_CODE);
}

/**
 * From now on V8 compiles functions after fewer calls, in all threads. To be called once the start is over, most of whose
 * functions are not worth it. What a gateway runs once a turn of its loop it runs a thousand times a second at most, and
 * each pass goes through few of its branches, so V8's own measure is reached here and there for half a minute and more; and
 * its compiler keeps a core for milliseconds each time, for which frames wait. Measured at 1,000 messages/s: the compiler is
 * done after 6 s instead of more than 15, with the same time in all, and the gateway's threads take a fifth less in these 15.
 */
export function compileSooner(): void {
  setFlagsFromString(`--invocation-count-for-maglev=${CALLS_TO_MAGLEV}`);
  setFlagsFromString(`--invocation-count-for-turbofan=${CALLS_TO_TURBOFAN}`);
}
