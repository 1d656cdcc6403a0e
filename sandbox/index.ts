export type { Delivery, FrameCopy } from './delivery.js';
export type { MessageView } from './message-view.js';
export type { ComponentCode, CoreCode, LogLine, StageSpec } from './messages.js';
export { SandboxPool } from './pool.js';
export { Ring } from './ring.js';
export { type ChainSpec, Slot, type SlotEvents, type SlotState } from './slot.js';
export { setV8Flags } from './v8-flags.js';
