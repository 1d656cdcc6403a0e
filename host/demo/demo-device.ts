import type { SentLog } from './sent-log.js';

/** A simulated device, as those see it who count and show what comes of it. */
export interface DemoDevice {
  /** Rows of the table: the first two levels of its topics. */
  readonly rows: readonly string[];
  readonly sent: SentLog;
  /** What a message made of its bytes says; undefined: it cannot be read. */
  read(message: string): Reading | undefined;
  stop(): Promise<void>;
}

export interface Reading {
  /** Of the reply that it was made of. */
  readonly sequence: number;
  /** For people. */
  readonly words: string;
}

/** The JSON object in a text; undefined: there is none. */
export function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
