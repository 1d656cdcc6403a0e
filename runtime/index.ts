export { type Admitted, admit, type Inspected, inspect, type Role } from './admission/admit.js';
export { CEILINGS, type Ceilings } from './admission/ceilings.js';
export { GRANTABLE_FEATURES } from './admission/feature-policy.js';
export { type Asks, type Base, defaultRules, type Granted, grant } from './admission/grants.js';
export {
  allowedHeaders,
  type Direction,
  type HeaderPolicy,
  type HeaderRule,
  type HeaderRules,
  type Headers,
  judgeHeaders,
  refuseHeaders,
} from './admission/header-policy.js';
export { judgeComponentImports, judgeComponentMemories } from './admission/judge/component.js';
export { judge } from './admission/judge/judge.js';
export { lendMemory } from './admission/lend-memory.js';
export {
  DEFAULT_POLICY,
  type Grant,
  IMPORT_NAMES,
  type Policy,
  type PolicyContent,
  type PolicyPlaces,
} from './admission/policy.js';
export { refusal } from './admission/refusal.js';
export type { Rules } from './admission/rules.js';
export { readComponent } from './admission/scan/component-parts.js';
export type { FeatureClass, ModuleFacts } from './admission/scan/facts.js';
export { SIMD_OPCODES, SIMD_WORDS, type SimdRule } from './admission/simd-policy.js';
export { FrameWriter, Interned } from './batch/frame-writer.js';
export { OutWriter } from './batch/out-writer.js';
export { isFault, isRefusal } from './batch/outcome-codes.js';
export { PropertyImage } from './batch/property-image.js';
export { HEADER, OPERATION, Slab } from './batch/slab.js';
export { MessageCursor, OutcomeCursor } from './batch/slab-reader.js';
export { Stamp } from './batch/stamp.js';
export { copyWords, FEW_BYTES, isSame, LastView } from './batch/words.js';
export { Chain, type OnCall, type Stage } from './chain/chain.js';
export { checkPorts, type Ports } from './chain/ports.js';
export * from './contract.js';
export {
  ERRORS,
  type ErrorCode,
  type ErrorRow,
  type Fault,
  type Finding,
  faultOf,
  SluiceError,
  type Step,
} from './errors.js';
export { CoreInstance } from './instance/core-instance.js';
export { guestError } from './instance/guest-error.js';
export type { GuestLog, Instance, Items, Produced, SavedState } from './instance/instance.js';
export type {
  BlockObject,
  ConverterGuest,
  FrameObject,
  KernelGuest,
  MessageObject,
  ResultObject,
} from './instance/object-guest.js';
export { ObjectInstance } from './instance/object-instance.js';
export { Room } from './instance/room.js';
export { type Leak, Lifetimes } from './lifetimes.js';
export { LIMITS } from './limits.js';
export {
  appendManifest,
  type Manifest,
  type ManifestFields,
  parseManifest,
  readManifest,
} from './manifest.js';
export { compare, type Difference } from './trial/compare.js';
export { type FrameCopy, frameOf } from './trial/frame.js';
export { type Outcome, readOutcome, type TrialMessage } from './trial/outcome.js';
export { passInOneBatch, runInOneBatch } from './trial/run-frames.js';
export { showBytes, showFault, showHex } from './trial/show.js';
export type { Vector } from './vector.js';
export { type ModuleKind, moduleKind, readSections, readU32, type Section } from './wasm-sections.js';
