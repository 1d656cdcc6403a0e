import { ERRORS, type ErrorRow } from '../../runtime/index.js';
import { suggest } from '../config/check/suggest.js';
import { EXIT } from './exit.js';

const table: Readonly<Record<string, ErrorRow>> = ERRORS;

/** Prints one row of the table, or all. Gives the exit code. */
export function explainErrors(code: string | undefined, options: { json?: boolean }): number {
  if (code === undefined) {
    const text = options.json
      ? JSON.stringify(ERRORS)
      : Object.keys(ERRORS)
          .map(each => `${each}\n  ${table[each]!.cause}`)
          .join('\n');
    process.stdout.write(`${text}\n`);
    return EXIT.ok;
  }
  // LISTEN_IN_USE and sluice_listen_in_use are meant as well.
  const plain = code.toUpperCase().replaceAll('-', '_');
  const name = plain.startsWith('SLUICE_') ? plain : `SLUICE_${plain}`;
  if (!Object.hasOwn(ERRORS, name)) {
    const guess = suggest(name, Object.keys(ERRORS));
    const hint = guess === undefined ? 'sluice errors lists them all' : `did you mean "${guess}"?`;
    process.stderr.write(`sluice: there is no error code ${code}; ${hint}\n`);
    return EXIT.usage;
  }
  const { cause, remedy } = table[name]!;
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ code: name, cause, remedy })}\n`
      : `${name}\n  Cause:  ${cause}\n  Remedy: ${remedy}\n`,
  );
  return EXIT.ok;
}
