import { ERRORS, faultOf, SluiceError } from '../../runtime/index.js';
import { ConfigError } from '../config/problem.js';

/** Exit codes; 78 is EX_CONFIG of sysexits.h. */
export const EXIT = { ok: 0, failure: 1, usage: 2, config: 78 } as const;

/** Tells on standard error what went wrong and what to do, and gives the exit code for it. */
export function reportFailure(thrown: unknown, write: (text: string) => void = writeStderr): number {
  const { code, message } = faultOf(thrown);
  const coded = message.includes(`(${code})`) ? message : `${message} (${code})`;
  write(`sluice: ${coded}\n  ${ERRORS[code].remedy}\n`);
  if (!(thrown instanceof SluiceError) && thrown instanceof Error) write(`${thrown.stack ?? ''}\n`);
  const config = thrown instanceof ConfigError || code.startsWith('SLUICE_CONFIG_');
  return config ? EXIT.config : EXIT.failure;
}

function writeStderr(text: string): void {
  process.stderr.write(text);
}
