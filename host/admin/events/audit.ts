import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Choice } from '../../store/quarantine.js';
import type { Log } from '../../telemetry/log.js';

/** One change that somebody asked for. */
export interface AuditEntry {
  /** Address of the peer. */
  readonly who: string;
  /** Such as `plugin.upload`. */
  readonly action: string;
  readonly plugin?: string;
  /** `ok`, `pending`, or the code of what it was refused for. */
  readonly outcome: string;
  readonly version?: string;
  /** Which frames of the quarantine were meant. */
  readonly frames?: Choice;
  /** What came of it, where that is more than the outcome. */
  readonly result?: unknown;
  readonly detail?: string;
}

/** Every change: a line in the log, and one in `audit.jsonl` in the data folder, which is only appended to. */
export class Audit {
  readonly #folder: string;
  readonly #log: Log;
  /** Lines stand in the order of the changes. */
  #last: Promise<void> = Promise.resolve();

  constructor(folder: string, log: Log) {
    this.#folder = folder;
    this.#log = log;
  }

  /** Resolves when the line is on its way to the disk; that it could not be written is logged. */
  record(entry: AuditEntry): Promise<void> {
    this.#log.info(
      { audit: entry },
      `audit: ${entry.action}${entry.plugin === undefined ? '' : ` ${entry.plugin}`}: ${entry.outcome}`,
    );
    this.#last = this.#last.then(() => this.#append({ time: new Date().toISOString(), ...entry }));
    return this.#last;
  }

  async #append(line: object): Promise<void> {
    try {
      await mkdir(this.#folder, { recursive: true });
      await appendFile(join(this.#folder, 'audit.jsonl'), `${JSON.stringify(line)}\n`, { mode: 0o600 });
    } catch (thrown) {
      const { message } = thrown as Error;
      this.#log.error({ code: 'SLUICE_ADMIN_STORE', error: message }, 'the audit file cannot be written');
    }
  }
}
