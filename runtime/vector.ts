/**
 * Test vectors: a frame and what a converter has to make of it. The form of vectors.json and of the
 * self-test inside a manifest. Bytes are hex; times are decimal text, since JSON has no 64-bit integer.
 */
import type { FAULT_CODES } from './contract.js';

export interface Vector {
  readonly name: string;
  /** Configuration of the instance that runs it. Absent: `{}`. */
  readonly config?: unknown;
  readonly frame: VectorFrame;
  /** What comes out ... */
  readonly messages?: readonly VectorMessage[];
  /** ... or why nothing does. Exactly one of the two. */
  readonly fault?: VectorFault;
}

export interface VectorFrame {
  /** Absent: `test`. */
  readonly source?: string;
  readonly topic: string;
  /** Nanoseconds since 1970. Absent: `1700000000123456789`. */
  readonly timestamp?: string;
  /** Hex. */
  readonly payload: string;
  readonly properties?: readonly (readonly [string, string])[];
}

/** What is absent equals that of the frame (topic, timestamp, properties), is QoS 1, or is empty or false. */
export interface VectorMessage {
  readonly topic?: string;
  readonly timestamp?: string;
  /** The payload as hex, or `text` as UTF-8 text. */
  readonly payload?: string;
  readonly text?: string;
  readonly contentType?: string;
  readonly qos?: number;
  readonly retain?: boolean;
  readonly properties?: readonly (readonly [string, string])[];
}

export interface VectorFault {
  readonly code: (typeof FAULT_CODES)[number];
  readonly text: string;
}
