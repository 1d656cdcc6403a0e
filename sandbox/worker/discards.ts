import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { resourceLimits } from 'node:worker_threads';

/** MiB that the heap of this thread may have; the default is for who is in no thread of a pool. */
const HEAP_MB = resourceLimits.maxOldGenerationSizeMb ?? 32;
/** From so many of them on (some 5 KB each), or so many bytes of their memories, they are collected in the next quiet moment. */
const MANY_INSTANCES = 512;
const MANY_BYTES = (HEAP_MB / 4) * (1 << 20);
/** At so many times as much nobody waits for a quiet one: at half of the heap's ceiling V8 begins by itself. */
const PRESSING = 1.5;

type Collect = () => void;
let known: Collect | undefined;

/**
 * Instances that failed and are not collected yet. Their memories count towards a limit of V8's, at which it collects: in the
 * midst of a batch, for 10 to 40 ms. So a thread that has nothing else to do asks for it before that: seldom, as it takes 10 ms
 * however few there are, and not as soon as it has nothing to do, as behind a failure there is more to come.
 */
export class Discards {
  #instances = 0;
  #bytes = 0;

  /** @param bytes of memory that go with it */
  add(bytes: number): void {
    this.#instances++;
    this.#bytes += bytes;
  }

  get areDue(): boolean {
    return this.#areOver(1);
  }

  get arePressing(): boolean {
    return this.#areOver(PRESSING);
  }

  #areOver(times: number): boolean {
    return this.#instances >= MANY_INSTANCES * times || this.#bytes >= MANY_BYTES * times;
  }

  collect(): void {
    this.#instances = 0;
    this.#bytes = 0;
    known ??= collector();
    known();
  }
}

/**
 * What `--expose-gc` gives to a context that is made while it is set, and nobody else in this thread gets to see. The flag is
 * the process's: a thread that comes up in that moment has a `gc` too, which no guest can reach.
 */
function collector(): Collect {
  setFlagsFromString('--expose-gc');
  try {
    return runInNewContext('gc') as Collect;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}
