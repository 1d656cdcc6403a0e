import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { type ErrorCode, type Fault, SluiceError, type Step } from '../../runtime/index.js';
import type {
  ChainFacts,
  FromSandbox,
  Rehearsal,
  RingBuffers,
  SandboxTask,
  StageSpec,
  ToSandbox,
} from '../messages.js';
import { BELL } from '../ring/ring-words.js';

/** Runs the task on a thread; rejects when the thread is killed or dies. */
export type RunTask = (task: SandboxTask, signal: AbortSignal) => Promise<unknown>;

interface Starting {
  resolve(): void;
  reject(error: SluiceError): void;
}

/** The host's handle on one sandbox thread. */
export class Sandbox {
  readonly #port: MessagePort;
  readonly #bell: Int32Array;
  readonly #abort = new AbortController();
  #listener: (message: FromSandbox) => void = () => {};
  #starting: Starting | undefined;
  readonly #up = Promise.withResolvers<void>();
  #death: Fault | undefined;
  #closing = false;
  /** Of its start, once that has got to a rehearsal. */
  #step: Step | undefined;
  #stepped: () => void = () => {};
  #answered = 0;
  #facts: ChainFacts = [];
  #stateful: readonly boolean[] = [];
  #gone = false;
  #sessions = 0;
  /** Its last session has drained. */
  #isDrained = false;
  /** It has loaded scripts, which stay. */
  #hasScripts = false;
  /** Resolves when the thread is gone: undefined after `close`, else why. */
  readonly ended: Promise<Fault | undefined>;

  constructor(run: RunTask) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    const bell = new SharedArrayBuffer(BELL.words * 4);
    this.#bell = new Int32Array(bell);
    port1.on('message', message => this.#received(message as FromSandbox));
    // The port alone must not keep a process alive that has nothing else to do.
    port1.unref();
    this.ended = run({ port: port2, bell }, this.#abort.signal).then(
      () => this.#over(undefined),
      (thrown: unknown) => this.#over(thrown),
    );
  }

  /** Sessions that it was given so far, one after the other. */
  get sessions(): number {
    return this.#sessions;
  }

  /** What the modules of its chain are; known once that has started. */
  get facts(): ChainFacts {
    return this.#facts;
  }

  /** Which of its stages have a state to hand over; known once it has started. */
  get stateful(): readonly boolean[] {
    return this.#stateful;
  }

  /**
   * Another session may follow in this thread: the last one has drained, and has left nothing behind, as a core module
   * reaches nothing but its own memory.
   */
  get isFit(): boolean {
    return this.#isDrained && !this.#gone && !this.#hasScripts;
  }

  /** Counts the bell up and wakes the thread. */
  ring(): void {
    Atomics.add(this.#bell, BELL.rung, 1);
    Atomics.notify(this.#bell, BELL.rung);
  }

  send(message: ToSandbox): void {
    this.#port.postMessage(message);
    Atomics.add(this.#bell, BELL.sent, 1);
    this.ring();
  }

  /** Where messages go from now on. */
  listen(listener: (message: FromSandbox) => void): void {
    this.#listener = listener;
  }

  /** Handles what the thread has posted and no event has brought yet; for use after a wake or a death. */
  drain(): void {
    const answered = Atomics.load(this.#bell, BELL.answered);
    if (answered === this.#answered && !this.#gone) return;
    this.#answered = answered;
    for (
      let next = receiveMessageOnPort(this.#port);
      next !== undefined;
      next = receiveMessageOnPort(this.#port)
    ) {
      this.#received(next.message as FromSandbox);
    }
  }

  /**
   * Admits, compiles, links, starts and configures a chain on this thread.
   * @param deadlineMs for all of it, and for each step of a rehearsal; beyond it the thread is killed
   * @param rehearsal what it is tried on first
   * @throws SluiceError that names the step, SLUICE_GUEST_DEADLINE, SLUICE_SANDBOX_START
   */
  async start(
    stages: readonly StageSpec[],
    ring: RingBuffers,
    output: number,
    deadlineMs: number,
    rehearsal?: Rehearsal,
  ): Promise<void> {
    const names = stages.map(stage => stage.plugin).join(', ');
    this.#sessions++;
    this.#isDrained = false;
    this.#hasScripts ||= stages.some(({ code }) => code.format === 'component');
    this.#step = undefined;
    const { promise: started, resolve, reject } = Promise.withResolvers<void>();
    const starting = { resolve, reject };
    this.#starting = starting;
    void this.ended.then(fault => {
      const { code, message } = fault ?? {
        code: 'SLUICE_SANDBOX_START' as const,
        message: 'the thread was closed',
      };
      const step = this.#step ?? 'start';
      if (this.#starting !== starting) return;
      reject(new SluiceError(code, `${names}: ${message}`, { step, plugin: names }));
    });
    this.send({ kind: 'start', stages, ring, output, ...(rehearsal === undefined ? {} : { rehearsal }) });
    let timer: NodeJS.Timeout | undefined;
    const watch = (): void => {
      clearTimeout(timer);
      if (this.#starting === undefined) return;
      const own = setTimeout(() => {
        // If our own loop was late, it may have answered long ago.
        this.drain();
        if (this.#starting !== starting || timer !== own) return;
        this.kill('SLUICE_GUEST_DEADLINE', `${this.#whatHangs()} within ${deadlineMs} ms`);
      }, deadlineMs);
      timer = own;
    };
    this.#stepped = watch;
    // The time that a cold thread takes to come up is not the plugin's.
    void this.#up.promise.then(watch);
    try {
      await started;
    } finally {
      this.#starting = undefined;
      clearTimeout(timer);
    }
  }

  /** Ends the thread at once, whatever it does; `ended` then tells this code. */
  kill(code: ErrorCode, message: string): void {
    this.#death ??= { code, message };
    this.#abort.abort();
  }

  /** Ends the thread when it is idle, by force after `patienceMs`. */
  async close(patienceMs: number): Promise<void> {
    this.#closing = true;
    this.send({ kind: 'close' });
    const timer = setTimeout(() => this.#abort.abort(), patienceMs);
    await this.ended;
    clearTimeout(timer);
  }

  #whatHangs(): string {
    const at = Atomics.load(this.#bell, BELL.rehearsed);
    if (this.#step === 'vectors') return `did not answer its test vector ${at}`;
    if (this.#step === 'shadow')
      return 'did not get through the last frames that the version before converts';
    return 'did not start';
  }

  #received(message: FromSandbox): void {
    if (message.kind === 'up') this.#up.resolve();
    else if (message.kind === 'step') {
      this.#step = message.step;
      this.#stepped();
    } else if (message.kind === 'ready') {
      this.#facts = message.facts;
      this.#stateful = message.stateful;
      this.#started()?.resolve();
    } else if (message.kind === 'failed') this.#started()?.reject(SluiceError.fromFault(message.fault));
    else {
      if (message.kind === 'detached') this.#isDrained = true;
      this.#listener(message);
    }
  }

  /** What waited for the start, and does no more. */
  #started(): Starting | undefined {
    const starting = this.#starting;
    this.#starting = undefined;
    return starting;
  }

  #over(thrown: unknown): Fault | undefined {
    // It may have been killed between a message and its count.
    this.#gone = true;
    this.drain();
    this.#port.close();
    if (this.#closing) return undefined;
    if (this.#death !== undefined) return this.#death;
    const message = thrown instanceof Error ? thrown.message : String(thrown);
    const code = /memory|heap/i.test(message) ? 'SLUICE_GUEST_HEAP' : 'SLUICE_SANDBOX_START';
    return { code, message: `its thread ended: ${message}` };
  }
}
