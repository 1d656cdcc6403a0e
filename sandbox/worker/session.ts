import {
  type Fault,
  faultOf,
  HEADER,
  type ModuleFacts,
  OPERATION,
  type OutWriter,
} from '../../runtime/index.js';
import type { FromSandbox, Keeping, ToSandbox } from '../messages.js';
import { MODE, RING } from '../ring/ring-words.js';
import { CallMarks } from './call-marks.js';
import { GuestLogs } from './guest-logs.js';
import { Instances } from './instances.js';
import { rehearse } from './rehearsal.js';
import { Slabs } from './slabs.js';
import { type Prepared, prepare } from './stages.js';

/** Posts to the host's thread. */
export type Post = (message: FromSandbox) => void;

type Start = Extract<ToSandbox, { kind: 'start' }>;

/** One chain on one ring, in this thread: runs what is published, commits it by one store. */
export class Session {
  readonly #post: Post;
  readonly #prepared: readonly Prepared[];
  readonly #control: Int32Array;
  readonly #slabs: Slabs;
  readonly #calls: CallMarks;
  readonly #logs: GuestLogs;
  readonly #instances: Instances;
  /** Slabs of the faults that the host may not have seen yet, one entry a fault. */
  #faulty: number[] = [];

  private constructor(start: Start, post: Post, prepared: readonly Prepared[]) {
    const control = new Int32Array(start.ring.control);
    this.#post = post;
    this.#prepared = prepared;
    this.#control = control;
    this.#slabs = new Slabs(control, start.ring.slabs, start.output, (index, buffer) =>
      post({ kind: 'slab', index, buffer }),
    );
    this.#calls = new CallMarks(control);
    this.#logs = new GuestLogs(prepared.map(({ plugin }) => plugin));
    this.#instances = new Instances(prepared, control, this.#calls, this.#logs, post);
    this.#logs.send(post);
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
    return this.#instances.stateful;
  }

  serve(slabs: readonly SharedArrayBuffer[], keeping: Keeping): void {
    for (const [index, buffer] of slabs.entries()) this.replace(index, buffer);
    this.#calls.isServing = true;
    this.#instances.serve(keeping);
    this.#logs.send(this.#post);
  }

  replace(index: number, buffer: SharedArrayBuffer): void {
    this.#slabs.replace(index, buffer);
  }

  /** Runs what there is. */
  work(): 'idle' | 'detached' {
    const control = this.#control;
    while (this.#calls.isServing) {
      if (this.#mode === MODE.halt) return 'idle';
      const committed = Atomics.load(control, RING.committed);
      if (this.#slabs.isPieceOut(committed)) return 'idle';
      if (Atomics.load(control, RING.detach) === 1 && committed === Atomics.load(control, RING.limit)) {
        this.#instances.save(committed, 0);
        this.#calls.isServing = false;
        return 'detached';
      }
      if (committed === Atomics.load(control, RING.published)) return 'idle';
      const header = this.#slabs.header(committed);
      // The host replaced this slab and its message is still in the port: fetch that first.
      if (control[header + HEADER.size] !== this.#slabs.at(committed).size) return 'idle';
      if (!this.#run(committed, header)) this.#calls.isServing = false;
    }
    return 'idle';
  }

  /** There is something to clean up, once the thread has had nothing to do for a moment. */
  get isUntidy(): boolean {
    return this.#instances.discards.areDue;
  }

  /** The thread has nothing to do for now. @param isQuiet for a moment already */
  rest(isQuiet: boolean): void {
    // The rest of a slab is asked for as soon as the host has taken the piece, with the frames that wait behind it.
    if (this.#slabs.isPieceOut(Atomics.load(this.#control, RING.committed))) return;
    const { discards } = this.#instances;
    if (isQuiet ? discards.areDue : discards.arePressing) discards.collect();
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
        out = this.#slabs.writer(sequence, header, count);
        this.#batch(sequence, header, out);
        control[header + HEADER.progress] = count;
        if (this.#instances.isSaveDue) this.#instances.save((sequence + 1) | 0, 0);
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
    this.#slabs.settle(sequence, header, out);
    control[header + HEADER.micros] = Math.round((performance.now() - began) * 1000);
    control[RING.memory] = this.#instances.pages;
    this.#logs.send(this.#post);
    Atomics.store(control, RING.committed, (sequence + 1) | 0);
    Atomics.add(control, RING.commits, 1);
    Atomics.notify(control, RING.commits);
    return true;
  }

  #batch(sequence: number, header: number, out: OutWriter): void {
    const control = this.#control;
    if (control[header + HEADER.operation] === OPERATION.flush) {
      const low = (control[header + HEADER.nowLow] as number) >>> 0;
      const high = (control[header + HEADER.nowHigh] as number) >>> 0;
      this.#instances.chain.flush(low, high, out, Atomics.load(control, RING.keeps));
    } else {
      const dataEnd = control[header + HEADER.dataEnd] as number;
      const recordsAt = control[header + HEADER.recordsAt] as number;
      const count = control[header + HEADER.count] as number;
      this.#instances.chain.run(this.#slabs.at(sequence), dataEnd, recordsAt, 0, count, out);
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
    const out = this.#slabs.writer(sequence, header, count, first > begin ? resume : undefined);
    this.#slabs.settle(sequence, header, out);
    // In this order: where the host is writing both, what it has seen counts twice rather than not at all.
    const seen = Atomics.load(control, RING.seen);
    const bears = Atomics.load(control, RING.bears);
    this.#faulty = this.#faulty.filter(each => ((each - seen) | 0) >= 0);
    let ends = this.#mode === MODE.probe;
    for (let frame = first; frame < count; frame++) {
      try {
        const dataEnd = control[header + HEADER.dataEnd] as number;
        this.#instances.chain.run(
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
          this.#calls.at(-1);
          this.#instances.renew();
          return out;
        }
        if (this.#givesUp(thrown, 1)) return undefined;
        const { fault, stage } = this.#failed(thrown, 1, false);
        out.fault(frame, fault.code, stage, Buffer.from(fault.message));
        ends ||= this.#faulty.push(sequence) > bears;
      }
      this.#slabs.settle(sequence, header, out);
      if (this.#instances.isSaveDue) this.#instances.save(sequence, frame + 1);
      Atomics.store(control, header + HEADER.progress, frame + 1);
      // What is done is committed, so that nothing of it is run again by who comes next.
      if (ends || this.#mode === MODE.halt) break;
    }
    return out;
  }

  #refuseFlush(sequence: number, header: number, fault: Fault, stage: number): OutWriter {
    const count = this.#control[header + HEADER.count] as number;
    const out = this.#slabs.writer(sequence, header, count);
    for (let index = 0; index < count; index++) out.messages(index, 0, 0);
    out.fault(stage, fault.code, stage, Buffer.from(fault.message));
    this.#control[header + HEADER.progress] = count;
    return out;
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
    const stage = this.#calls.last;
    this.#calls.at(-1);
    this.#post({ kind: 'fault', fault, stage, frames, again: false, gaveUp: true });
    return true;
  }

  /** A guest failed: it is thrown away with its whole chain, and a fresh one serves. */
  #failed(thrown: unknown, frames: number, again: boolean): { fault: Fault; stage: number } {
    const stage = this.#calls.last;
    const fault = faultOf(thrown);
    this.#calls.at(-1);
    this.#post({ kind: 'fault', fault, stage, frames, again, gaveUp: false });
    this.#instances.renew();
    return { fault, stage };
  }
}
