import type { MessagePort } from 'node:worker_threads';
import type { Fault, FrameCopy, ModuleFacts, Rules, SavedState, Step, Vector } from '../runtime/index.js';

/** All that crosses between the host's thread and a sandbox's, except slabs. Plain data only. */

/** One module of a chain, ready to be admitted and compiled in the sandbox's thread. */
export interface StageSpec {
  readonly plugin: string;
  readonly version: string;
  readonly kind: 'converter' | 'kernel';
  /** Configuration of the plugin as JSON. */
  readonly config: string;
  /** What it may be, and how much memory it gets. */
  readonly rules: Rules;
  /** Most milliseconds of one call. */
  readonly deadlineMs: number;
  readonly code: CoreCode | ComponentCode;
  /** Its own tests; a rehearsal runs them. */
  readonly vectors?: readonly Vector[];
}

/** What a candidate is tried on before it may serve. */
export interface Rehearsal {
  /** Stages whose vectors are run. */
  readonly stages: readonly number[];
  /** Frames that it has to get through. */
  readonly frames: readonly FrameCopy[];
}

export interface CoreCode {
  readonly format: 'core';
  /** The file, as read (shared, so that many sandboxes hold one copy). */
  readonly bytes: Uint8Array;
}

/** A component after transpilation: one script and its core modules. */
export interface ComponentCode {
  readonly format: 'component';
  /** file: URL of the script, which exports `instantiate`. */
  readonly script: string;
  readonly modules: Readonly<Record<string, Uint8Array>>;
  /** Of the component itself, `name (kind)`. */
  readonly imports: readonly string[];
}

/** What the task of a sandbox is started with. */
export interface SandboxTask {
  readonly port: MessagePort;
  /** One word, counted up and notified to wake the thread. */
  readonly bell: SharedArrayBuffer;
}

/** What a chain is made of: for each stage the facts of its core modules. */
export type ChainFacts = readonly (readonly ModuleFacts[])[];

/** What one stage had in memory behind the last slab before `sequence`. */
export interface StageState extends SavedState {
  /** Number of the generation that had it. */
  readonly generation: number;
  readonly sequence: number;
}

/** Of each stage; undefined where there is none. */
export type ChainState = readonly (StageState | undefined)[];

/** How a chain that begins to serve deals with what its stages remember. */
export interface Keeping {
  /** Its number. */
  readonly generation: number;
  /** What it may go on from, first choice first. */
  readonly states: readonly ChainState[];
  /** Batches between two snapshots; 0: none are taken. */
  readonly every: number;
  /** Its guests may be asked for their state. */
  readonly exports: boolean;
  /** Nothing has served before it. */
  readonly isFirst: boolean;
}

/** What a fresh instance goes on from. */
export interface Restored {
  readonly stage: number;
  /** `bytes` of it, and how many batches it is behind. Undefined: it begins without a state. */
  readonly from:
    | {
        readonly generation: number;
        readonly version: number;
        readonly bytes: number;
        readonly behind: number;
      }
    | undefined;
  /** What came of the state that it was given before, if any. */
  readonly refused: Fault | undefined;
}

export interface RingBuffers {
  readonly control: SharedArrayBuffer;
  readonly slabs: readonly SharedArrayBuffer[];
}

export type ToSandbox =
  /** Admit, compile, link, start and configure; answered by `ready` or `failed`. */
  | {
      readonly kind: 'start';
      readonly stages: readonly StageSpec[];
      readonly ring: RingBuffers;
      readonly output: number;
      readonly rehearsal?: Rehearsal;
    }
  /** Begin to run what the ring holds. */
  | {
      readonly kind: 'serve';
      readonly slabs: readonly SharedArrayBuffer[];
      readonly keeping: Keeping;
    }
  /** A slab of the ring was replaced. */
  | { readonly kind: 'slab'; readonly index: number; readonly buffer: SharedArrayBuffer }
  /** End the task. */
  | { readonly kind: 'close' };

export type FromSandbox =
  | { readonly kind: 'up' }
  /** This step of a rehearsal begins: it has a start deadline of its own. */
  | { readonly kind: 'step'; readonly step: Step }
  /** What the modules of each stage are, so that they can be judged again without being read again. */
  | { readonly kind: 'ready'; readonly facts: ChainFacts; readonly stateful: readonly boolean[] }
  | { readonly kind: 'failed'; readonly fault: Fault }
  /** The sandbox replaced a slab by a larger one that begins with the same bytes. */
  | { readonly kind: 'slab'; readonly index: number; readonly buffer: SharedArrayBuffer }
  /**
   * A call failed; a fresh instance serves and the batch is run frame by frame, unless the session `gaveUp`: then it is
   * over, and the slab is as it was published.
   */
  | {
      readonly kind: 'fault';
      readonly fault: Fault;
      readonly stage: number;
      readonly frames: number;
      /** They are run again, one by one. */
      readonly again: boolean;
      readonly gaveUp: boolean;
    }
  | {
      readonly kind: 'log';
      readonly plugin: string;
      readonly lines: readonly LogLine[];
      readonly lost: number;
    }
  /**
   * What the stages remember: before slab `sequence`, and the first `progress` frames of it are in it. Sent before
   * that is committed, so that a state never lacks what was delivered.
   */
  | {
      readonly kind: 'state';
      readonly generation: number;
      readonly sequence: number;
      readonly progress: number;
      readonly states: ChainState;
    }
  | ({ readonly kind: 'restored' } & Restored)
  /** A guest failed over its export-state: it is replaced, and asked no more. */
  | { readonly kind: 'unsaved'; readonly fault: Fault; readonly stage: number }
  /** The session has run everything up to the ring's limit and holds nothing any more. */
  | { readonly kind: 'detached' };

export interface LogLine {
  readonly level: number;
  readonly text: string;
}
