import {
  Chain,
  type Fault,
  faultOf,
  HEADER,
  LIMITS,
  type ModuleFacts,
  OPERATION,
  OutWriter,
  type Room,
  Slab,
  type Stage,
} from '../../runtime/index.js';
import { stamp } from '../clock.js';
import type { FromSandbox, Keeping, Rehearsal, ToSandbox } from '../messages.js';
import { CALL, headerOf, MODE, RING } from '../ring-words.js';
import { Discards } from './discards.js';
import { Memory } from './memory.js';
import { runShadow, runVectors } from './rehearsal.js';
import { LogBuffer, type Prepared, prepare, quiet } from './stages.js';

/** Posts to the host's thread. */
export type Post = (message: FromSandbox) => void;

type Start = Extract<ToSandbox, { kind: 'start' }>;

/** Lines a second that a chain may log; what is beyond is counted. */
const LINES_PER_SECOND = 50;

/** One chain on one ring, in this thread: runs what is published, commits it by one store. */
export class Session {
  readonly #post: Post;
  readonly #prepared: readonly Prepared[];
  readonly #control: Int32Array;
  readonly #slabs: Slab[];
  readonly #output: number;
  readonly #logs: readonly LogBuffer[];
  readonly #rooms: readonly (Room | undefined)[];
  readonly #memory: Memory;
  #stages: readonly Stage[] = [];
  readonly #discards = new Discards();
  #isStateful = false;
  /** Slabs of the faults that the host may not have seen yet, one entry a fault. */
  #faulty: number[] = [];
  #chain: Chain;
  #serving = false;
  /** Stage of the call under way or, between two, of the last one: its results are what is looked at. */
  #called = 0;
  #lines = 0;
  #second = 0;

  private constructor(start: Start, post: Post, prepared: readonly Prepared[]) {
    this.#post = post;
    this.#prepared = prepared;
    this.#control = new Int32Array(start.ring.control);
    this.#slabs = start.ring.slabs.map(buffer => new Slab(buffer));
    this.#output = start.output;
    this.#logs = prepared.map(() => new LogBuffer());
    this.#rooms = prepared.map(stage => stage.room());
    this.#memory = new Memory(prepared.length, restored => this.#send({ kind: 'restored', ...restored }));
    this.#chain = this.#fresh();
    this.#sendLogs();
  }

  /**
   * Admit, compile, rehearse if asked to, link, start, configure.
   * @param at told what a rehearsal is at
   * @throws SluiceError that names the step
   */
  static async start(start: Start, post: Post, at: (index: number) => void = () => {}): Promise<Session> {
    const prepared: Prepared[] = [];
    for (const spec of start.stages) prepared.push(await prepare(spec));
    if (start.rehearsal !== undefined) rehearse(start, start.rehearsal, prepared, post, at);
    return new Session(start, post, prepared);
  }

  /** Of the modules of each stage. */
  get facts(): readonly (readonly ModuleFacts[])[] {
    return this.#prepared.map(({ facts }) => facts);
  }

  /** Which stages have a state to hand over. */
  get stateful(): readonly boolean[] {
    return this.#stages.map(({ instance }) => instance.isStateful);
  }

  serve(slabs: readonly SharedArrayBuffer[], keeping: Keeping): void {
    for (const [index, buffer] of slabs.entries()) this.replace(index, buffer);
    this.#serving = true;
    if (!this.#isStateful) return;
    this.#memory.begin(keeping);
    this.#chain = this.#chainOf(this.#stages.map((stage, index) => this.#restore(stage, index)));
    this.#memory.serves();
    this.#sendLogs();
  }

  replace(index: number, buffer: SharedArrayBuffer): void {
    if (this.#slabs[index]?.buffer !== buffer) this.#slabs[index] = new Slab(buffer);
  }

  /** Runs what there is. */
  work(): 'idle' | 'detached' {
    const control = this.#control;
    while (this.#serving) {
      if (this.#mode === MODE.halt) return 'idle';
      const committed = Atomics.load(control, RING.committed);
      if (this.#isPieceOut(committed)) return 'idle';
      if (Atomics.load(control, RING.detach) === 1 && committed === Atomics.load(control, RING.limit)) {
        if (this.#isStateful) this.#save(committed, 0);
        this.#serving = false;
        return 'detached';
      }
      if (committed === Atomics.load(control, RING.published)) return 'idle';
      const header = headerOf(committed, this.#slabs.length);
      // The host replaced this slab and its message is still in the port: fetch that first.
      if (control[header + HEADER.size] !== this.#slab(committed).size) return 'idle';
      if (!this.#run(committed, header)) this.#serving = false;
    }
    return 'idle';
  }

  /** There is something to clean up, once the thread has had nothing to do for a moment. */
  get isUntidy(): boolean {
    return this.#discards.areDue;
  }

  /** The thread has nothing to do for now. @param isQuiet for a moment already */
  rest(isQuiet: boolean): void {
    // The rest of a slab is asked for as soon as the host has taken the piece, with the frames that wait behind it.
    if (this.#isPieceOut(Atomics.load(this.#control, RING.committed))) return;
    if (isQuiet ? this.#discards.areDue : this.#discards.arePressing) this.#discards.collect();
  }

  /** Only a piece of the slab before this one is committed: the host has to take that, and asks for the rest. */
  #isPieceOut(sequence: number): boolean {
    return this.#control[headerOf(sequence - 1, this.#slabs.length) + HEADER.piece] === 1;
  }

  /** False: a guest has failed, and the slab is left to another generation. */
  #run(sequence: number, header: number): boolean {
    const control = this.#control;
    const began = performance.now();
    control[header + HEADER.piece] = 0;
    // A flush may have been asked of another generation, with more stages or fewer.
    const flush = control[header + HEADER.operation] === OPERATION.flush;
    if (flush) control[header + HEADER.count] = this.#prepared.length;
    else if (this.#mode === MODE.probe) control[header + HEADER.isolate] = 1;
    const count = control[header + HEADER.count] as number;
    const begin = control[header + HEADER.begin] as number;
    let out: OutWriter | undefined;
    if (control[header + HEADER.isolate] === 0) {
      try {
        out = this.#writer(sequence, header, count);
        this.#batch(sequence, header, out);
        control[header + HEADER.progress] = count;
        if (this.#isStateful && this.#memory.isDue) this.#save((sequence + 1) | 0, 0);
      } catch (thrown) {
        if (this.#givesUp(thrown, flush ? 1 : count - begin)) return false;
        const { fault, stage } = this.#failed(thrown, flush ? 1 : count - begin, !flush);
        control[header + HEADER.isolate] = 1;
        control[header + HEADER.progress] = begin;
        out = flush ? this.#refuseFlush(sequence, header, fault, stage) : undefined;
      }
    }
    out ??= this.#isolate(sequence, header, count);
    if (out === undefined) return false;
    if ((control[header + HEADER.progress] as number) < count) {
      control[header + HEADER.piece] = 1;
      // The host has seen all of them before it asks for the rest.
      this.#faulty = [];
    }
    this.#settle(sequence, header, out);
    control[header + HEADER.micros] = Math.round((performance.now() - began) * 1000);
    control[RING.memory] = this.#pages();
    this.#sendLogs();
    Atomics.store(control, RING.committed, (sequence + 1) | 0);
    Atomics.add(control, RING.commits, 1);
    Atomics.notify(control, RING.commits);
    return true;
  }

  #pages(): number {
    let bytes = 0;
    for (const { instance } of this.#stages) bytes += instance.memoryBytes;
    return Math.floor(bytes / LIMITS.page);
  }

  #batch(sequence: number, header: number, out: OutWriter): void {
    const control = this.#control;
    if (control[header + HEADER.operation] === OPERATION.flush) {
      const low = (control[header + HEADER.nowLow] as number) >>> 0;
      const high = (control[header + HEADER.nowHigh] as number) >>> 0;
      this.#chain.flush(low, high, out, Atomics.load(control, RING.keeps));
    } else {
      const dataEnd = control[header + HEADER.dataEnd] as number;
      const recordsAt = control[header + HEADER.recordsAt] as number;
      const count = control[header + HEADER.count] as number;
      this.#chain.run(this.#slab(sequence), dataEnd, recordsAt, 0, count, out);
    }
  }

  /**
   * Frame by frame, so that a failing frame is found and only it is refused. What is final is counted in
   * the header after each frame: should this thread be killed, another goes on behind it. Where the breaker could not
   * bear one more fault it ends behind that which failed, so that the host can say whether to go on. Undefined: the rest
   * is left to another generation.
   */
  #isolate(sequence: number, header: number, count: number): OutWriter | undefined {
    const control = this.#control;
    const first = control[header + HEADER.progress] as number;
    const begin = control[header + HEADER.begin] as number;
    const resume = {
      at: control[header + HEADER.outEnd] as number,
      faults: control[header + HEADER.faults] as number,
    };
    const out = this.#writer(sequence, header, count, first > begin ? resume : undefined);
    this.#settle(sequence, header, out);
    // In this order: where the host is writing both, what it has seen counts twice rather than not at all.
    const seen = Atomics.load(control, RING.seen);
    const bears = Atomics.load(control, RING.bears);
    this.#faulty = this.#faulty.filter(each => ((each - seen) | 0) >= 0);
    let ends = this.#mode === MODE.probe;
    for (let frame = first; frame < count; frame++) {
      try {
        const dataEnd = control[header + HEADER.dataEnd] as number;
        this.#chain.run(
          out.slab,
          dataEnd,
          control[header + HEADER.recordsAt] as number,
          frame,
          frame + 1,
          out,
        );
      } catch (thrown) {
        if (frame > begin && faultOf(thrown).code === 'SLUICE_GUEST_OUTPUT') {
          // Not this frame's doing but that of all before it: deliver those first.
          this.#mark(-1);
          this.#chain = this.#fresh();
          return out;
        }
        if (this.#givesUp(thrown, 1)) return undefined;
        const { fault, stage } = this.#failed(thrown, 1, false);
        out.fault(frame, fault.code, stage, Buffer.from(fault.message));
        ends ||= this.#faulty.push(sequence) > bears;
      }
      this.#settle(sequence, header, out);
      if (this.#isStateful && this.#memory.isDue) this.#save(sequence, frame + 1);
      Atomics.store(control, header + HEADER.progress, frame + 1);
      // What is done is committed, so that nothing of it is run again by who comes next.
      if (ends || this.#mode === MODE.halt) break;
    }
    return out;
  }

  #refuseFlush(sequence: number, header: number, fault: Fault, stage: number): OutWriter {
    const count = this.#control[header + HEADER.count] as number;
    const out = this.#writer(sequence, header, count);
    for (let index = 0; index < count; index++) out.messages(index, 0, 0);
    out.fault(stage, fault.code, stage, Buffer.from(fault.message));
    this.#control[header + HEADER.progress] = count;
    return out;
  }

  #writer(
    sequence: number,
    header: number,
    count: number,
    resume?: { at: number; faults: number },
  ): OutWriter {
    const inputEnd = this.#control[header + HEADER.inputEnd] as number;
    const enlarge = (slab: Slab, size: number): Slab => {
      const larger = new Slab(new SharedArrayBuffer(size));
      larger.u8.set(slab.u8);
      return larger;
    };
    return new OutWriter(this.#slab(sequence), inputEnd, count, this.#output, enlarge, resume);
  }

  /** Makes what `out` holds known: the slab (if it was replaced), its end and its outcomes. */
  #settle(sequence: number, header: number, out: OutWriter): void {
    const control = this.#control;
    if (out.slab !== this.#slab(sequence)) {
      const index = sequence & (this.#slabs.length - 1);
      this.#slabs[index] = out.slab;
      this.#send({ kind: 'slab', index, buffer: out.slab.buffer as SharedArrayBuffer });
    }
    control[header + HEADER.size] = out.slab.size;
    control[header + HEADER.outcomesAt] = out.outcomesAt;
    control[header + HEADER.outEnd] = out.at;
    control[header + HEADER.faults] = out.faults;
  }

  get #mode(): number {
    return Atomics.load(this.#control, RING.mode);
  }

  /** A guest failed. True: it is not to be tried further, and the host is told. @param frames of this call */
  #givesUp(thrown: unknown, frames: number): boolean {
    if (this.#mode !== MODE.strict) return false;
    const fault = faultOf(thrown);
    // What many frames give out together is not too much for each of them.
    if (fault.code === 'SLUICE_GUEST_OUTPUT' && frames > 1) return false;
    const stage = this.#called;
    this.#mark(-1);
    this.#send({ kind: 'fault', fault, stage, frames, again: false, gaveUp: true });
    return true;
  }

  /** A guest failed: it is thrown away with its whole chain, and a fresh one serves. */
  #failed(thrown: unknown, frames: number, again: boolean): { fault: Fault; stage: number } {
    const stage = this.#called;
    const fault = faultOf(thrown);
    this.#mark(-1);
    this.#send({ kind: 'fault', fault, stage, frames, again, gaveUp: false });
    this.#chain = this.#fresh();
    return { fault, stage };
  }

  #fresh(): Chain {
    for (const [index, { instance }] of this.#stages.entries())
      this.#discards.add(this.#rooms[index]?.isKept === true ? 0 : instance.memoryBytes);
    const stages = this.#prepared.map((_, index) => {
      const made = this.#make(index);
      return this.#serving ? this.#restore(made, index) : made;
    });
    return this.#chainOf(stages);
  }

  #chainOf(stages: readonly Stage[]): Chain {
    this.#stages = stages;
    this.#isStateful = this.stateful.includes(true);
    return new Chain(stages, stage => this.#mark(stage));
  }

  #make(index: number): Stage {
    this.#purpose(CALL.start);
    this.#mark(index);
    const log = (this.#logs[index] as LogBuffer).take;
    const made = (this.#prepared[index] as Prepared).make(log, undefined, this.#rooms[index]);
    this.#mark(-1);
    this.#purpose(CALL.run);
    return made;
  }

  /** Gives an instance that has run nothing yet what it is to go on from. */
  #restore(stage: Stage, index: number): Stage {
    const next = Atomics.load(this.#control, RING.committed);
    const importing = (call: () => void): void => {
      this.#purpose(CALL.import);
      this.#mark(index);
      try {
        call();
      } finally {
        this.#mark(-1);
        this.#purpose(CALL.run);
      }
    };
    return this.#memory.give(stage, index, next, importing, () => this.#make(index));
  }

  #purpose(purpose: number): void {
    if (this.#serving) Atomics.store(this.#control, RING.purpose, purpose);
  }

  /** Sends what the stages remember. Where that fails, a fresh chain goes on from what was sent before. */
  #save(sequence: number, progress: number): void {
    if (!this.#memory.isOn) return;
    this.#purpose(CALL.export);
    try {
      const states = this.#memory.take(this.#stages, sequence, stage => this.#mark(stage));
      this.#purpose(CALL.run);
      this.#send({ kind: 'state', generation: this.#memory.generation, sequence, progress, states });
    } catch (thrown) {
      const stage = this.#called;
      this.#mark(-1);
      this.#memory.stop();
      this.#send({ kind: 'unsaved', fault: faultOf(thrown), stage });
      this.#chain = this.#fresh();
    }
  }

  /** Tells the watcher on the host's thread that a call begins (stage) or is over (-1). */
  #mark(stage: number): void {
    if (stage >= 0) this.#called = stage;
    // A candidate that is being started shares the ring with the session that serves: the words are that one's.
    if (!this.#serving) return;
    if (stage >= 0) Atomics.store(this.#control, RING.began, stamp());
    Atomics.store(this.#control, RING.stage, stage);
    Atomics.add(this.#control, RING.calls, 1);
  }

  #sendLogs(): void {
    for (const [index, log] of this.#logs.entries()) {
      if (log.lines.length === 0 && log.lost === 0) continue;
      const second = Math.floor(performance.now() / 1000);
      if (second !== this.#second) this.#lines = 0;
      this.#second = second;
      if (this.#lines >= LINES_PER_SECOND) {
        log.lost += log.lines.length;
        log.lines = [];
        continue;
      }
      this.#lines += log.lines.length;
      this.#send({
        kind: 'log',
        plugin: (this.#prepared[index] as Prepared).plugin,
        lines: log.lines,
        lost: log.lost,
      });
      log.lines = [];
      log.lost = 0;
    }
  }

  #send(message: FromSandbox): void {
    this.#post(message);
  }

  #slab(sequence: number): Slab {
    return this.#slabs[sequence & (this.#slabs.length - 1)] as Slab;
  }
}

function rehearse(
  { stages, output }: Start,
  rehearsal: Rehearsal,
  prepared: readonly Prepared[],
  post: Post,
  at: (index: number) => void,
): void {
  const tests = rehearsal.stages.filter(index => (stages[index]?.vectors ?? []).length > 0);
  if (tests.length > 0) post({ kind: 'step', step: 'vectors' });
  for (const index of tests)
    runVectors(prepared[index] as Prepared, stages[index]?.vectors ?? [], output, vector => at(vector + 1));
  if (rehearsal.frames.length > 0) {
    post({ kind: 'step', step: 'shadow' });
    const make = (): Chain => new Chain(prepared.map(stage => stage.make(quiet)));
    runShadow(make, rehearsal.frames, output);
  }
  // What hangs from here on is the start of the instance that is to serve.
  if (tests.length + rehearsal.frames.length > 0) post({ kind: 'step', step: 'start' });
}
