import type { StageSpec } from '../../../sandbox/index.js';
import { guestStage, type SlotRig } from './slot-rig.js';

const WINDOW = { window: 8, features: ['mean'], input: 'f32', flush: true };

/** A kernel that holds samples back: the mean of each eight, and of the rest at a flush. */
export async function means(): Promise<StageSpec> {
  const stage = await guestStage('../../plugins/features', { config: JSON.stringify(WINDOW) });
  return { ...stage, plugin: 'features' };
}

/** The means that flushes have given out so far. */
export function restsOf({ flushes }: SlotRig): number[] {
  return flushes.flatMap(({ messages }) => messages.map(({ payload }) => payload.readFloatLE()));
}

export function samples(...values: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}
