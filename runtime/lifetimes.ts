/** What was never closed. */
export interface Leak {
  /** Such as `sandbox`: few words, as they label a metric. */
  readonly kind: string;
  /** Which one of them. */
  readonly name: string;
  /** Where it was made: the innermost places of the code, `function (file:line:column)`. */
  readonly madeAt: string;
  /** Why it could not be closed now either; undefined: it could, or that is under way. */
  readonly why?: string;
}

interface Held extends Pick<Leak, 'kind' | 'name'> {
  readonly stack: string;
  readonly release: () => unknown;
}

/** Places that are told of a leak. */
const PLACES = 3;

/**
 * The second net under things that have to be closed. The first is `using`, or a call of close; what is forgotten all
 * the same, and collected, is closed here, and told of. That can be late, or never: no program may count on it.
 */
export class Lifetimes {
  readonly #leaked: (leak: Leak) => void;
  readonly #registry = new FinalizationRegistry<Held>(held => this.#lost(held));

  constructor(leaked: (leak: Leak) => void) {
    this.#leaked = leaked;
  }

  /** @param release closes what `owner` held, at once or by a promise; it must not hold `owner` itself, or that is never collected */
  watch(owner: object, kind: string, name: string, release: () => unknown): void {
    // As a text: an Error keeps everything alive whose methods are in it, and that is the owner.
    const { stack = '' } = new Error(kind);
    this.#registry.register(owner, { kind, name, release, stack }, owner);
  }

  /** It is closed. */
  closed(owner: object): void {
    this.#registry.unregister(owner);
  }

  #lost({ kind, name, stack, release }: Held): void {
    const leak: Leak = { kind, name, madeAt: placesOf(stack) };
    this.#leaked(leak);
    // Nobody waits for it, so nobody else could hear of it; and it must not end the process.
    const failed = (thrown: unknown): void =>
      this.#leaked({ ...leak, why: thrown instanceof Error ? thrown.message : String(thrown) });
    try {
      Promise.resolve(release()).catch(failed);
    } catch (thrown) {
      failed(thrown);
    }
  }
}

/** Without the line of the message, this file, and the folders before the code. */
function placesOf(stack: string): string {
  return stack
    .split('\n')
    .slice(2, 2 + PLACES)
    .map(line => line.trim().replace(/(file:\/\/)?\/.*\/(?=(host|sandbox|runtime|test)\/)/, ''))
    .join(', ');
}
