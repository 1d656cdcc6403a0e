/**
 * A plugin as functions over objects: what jco makes of a component, and what a null instance is given.
 * Names and shapes are those that jco derives from plugin.wit.
 */
export type Property = [string, string];

export interface FrameObject {
  source: string;
  topic: string;
  timestamp: bigint;
  payload: Uint8Array;
  properties: Property[];
}

export interface MessageObject {
  topic: string;
  payload: Uint8Array;
  timestamp: bigint;
  contentType: string;
  qos: number;
  retain: boolean;
  properties: Property[];
}

/** Cases of variant `fault`, in the order of plugin.wit. */
export const FAULT_TAGS = [
  'malformed',
  'unsupported',
  'out-of-range',
  'device',
  'configuration',
  'internal',
] as const;

export interface FaultObject {
  tag: (typeof FAULT_TAGS)[number];
  val: string;
}

export type ResultObject = { tag: 'ok'; val: MessageObject[] } | { tag: 'err'; val: FaultObject };

export interface BlockObject {
  source: string;
  topic: string;
  timestamp: bigint;
  rate: number;
  channels: number;
  data: { tag: 'bytes'; val: Uint8Array } | { tag: 'f32'; val: Float32Array };
}

/** Cases of enum `errno`, as jco spells them. */
export const ERRNO_TAGS = ['einval', 'enospc', 'edom', 'erange', 'enomem', 'enosys'] as const;

/** Of a stateful world: both or none. */
interface StatefulGuest {
  exportState?(): [version: number, state: Uint8Array];
  importState?(version: number, state: Uint8Array): void;
}

/** Refusals are thrown with the fault or errno as `payload`, as jco does. */
export interface ConverterGuest extends StatefulGuest {
  configure(config: string): void;
  convert(frames: FrameObject[]): ResultObject[];
  flush?(now: bigint): MessageObject[];
}

export interface KernelGuest extends StatefulGuest {
  configure(config: string): void;
  process(block: BlockObject): BlockObject;
  flush?(now: bigint): BlockObject[];
}

/** The `payload` of a thrown refusal, if it has one. */
export function refusal(thrown: unknown): unknown {
  return typeof thrown === 'object' && thrown !== null && 'payload' in thrown ? thrown.payload : undefined;
}
