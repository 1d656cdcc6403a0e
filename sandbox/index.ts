export type { BreakerLimits, BreakerState, Cause } from './generation/breaker.js';
export type { ChainSpec, Generation, Probation } from './generation/generation.js';
export type { ChainFacts, ComponentCode, CoreCode, LogLine, StageSpec } from './messages.js';
export { SandboxPool } from './pool/pool.js';
export type { Delivery } from './ring/delivery.js';
export type { MessageView } from './ring/message-view.js';
export { Ring } from './ring/ring.js';
export { UnservedRing } from './ring/unserved-ring.js';
export { unless } from './seat/unless.js';
export { Slot } from './slot/slot.js';
export type {
  PluginRestored,
  SlotChange,
  SlotEvents,
  SlotState,
  WhenOpen,
} from './succession/slot-events.js';
export type { KeptState } from './succession/state-keeper.js';
export { compileSooner, setV8Flags } from './v8-flags.js';
export { letYoungSpaceGrow } from './young-space.js';
