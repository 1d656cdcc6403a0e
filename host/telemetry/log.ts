import { writeSync } from 'node:fs';
import { type Logger, pino } from 'pino';
import { prettyLine } from './pretty-line.js';

export type Log = Logger;

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

export interface LogOptions {
  /** `SLUICE_LOG` (trace to fatal, silent) and `NO_COLOR` are read. Default: those of the process. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** True: readable lines; false: one JSON object a line. Default: whether standard error is a terminal. */
  readonly pretty?: boolean;
  /** Takes each line with its end. Default: standard error, so that standard output stays free for results. */
  readonly write?: (line: string) => void;
}

/** The program's log. Lines are written at once: what was logged before a crash is there after it. */
export function createLog(options: LogOptions = {}): Log {
  const { environment = process.env, pretty = process.stderr.isTTY === true, write = writeStderr } = options;
  const wanted = environment.SLUICE_LOG?.toLowerCase();
  const known = wanted === undefined || LEVELS.includes(wanted);
  const colour = pretty && (environment.NO_COLOR ?? '') === '';
  const log = pino(
    {
      level: known ? (wanted ?? 'info') : 'info',
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: label => ({ level: label }) },
    },
    { write: (line: string) => write(pretty ? prettyLine(line, colour) : line) },
  );
  if (!known) log.warn({ levels: LEVELS }, `SLUICE_LOG=${wanted} is no level; using info`);
  return log;
}

function writeStderr(line: string): void {
  try {
    writeSync(2, line);
  } catch {
    // A pipe that is full (EAGAIN) or closed (EPIPE): a log line is not worth the gateway.
  }
}
