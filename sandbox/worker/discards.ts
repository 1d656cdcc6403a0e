import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** At so many of them, or so many bytes of their memories: V8 begins by itself at hardly twice as much. */
const MOST_INSTANCES = 64;
const MOST_BYTES = 16 << 20;

type Collect = () => void;
let known: Collect | undefined;

/**
 * Instances that failed and are not collected yet. Their memories count towards a limit of V8's, at which it collects: in the
 * midst of a batch, for 10 to 40 ms. So a thread that has nothing else to do asks for it before that.
 */
export class Discards {
  #instances = 0;
  #bytes = 0;

  /** @param bytes of memory that it had */
  add(bytes: number): void {
    this.#instances++;
    this.#bytes += bytes;
  }

  get areDue(): boolean {
    return this.#instances >= MOST_INSTANCES || this.#bytes >= MOST_BYTES;
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
