import { type ErrorCode, SluiceError } from '../../runtime/index.js';

/** A place in the configuration: keys and list positions from the top. */
export type Path = readonly (string | number)[];

/** One thing that is wrong (or doubtful) in a configuration. */
export interface Problem {
  readonly code: ErrorCode;
  /** `warning`: the gateway starts all the same. */
  readonly severity: 'error' | 'warning';
  readonly file: string;
  /** Line and column from 1. Undefined if the value did not come from the file. */
  readonly line?: number;
  readonly column?: number;
  /** The environment variable that the value came from. */
  readonly variable?: string;
  /** Like `sources.line1.modbus.poll[0].every`; empty for the file as a whole. */
  readonly path: string;
  readonly text: string;
  /** What was probably meant. */
  readonly suggestion?: string;
}

/** `sources.line1.modbus.poll[0].every`. */
export function showPath(path: Path): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** `file:line:col: path: what is wrong; did you mean "x"? (CODE)` */
export function formatProblem(problem: Problem): string {
  let where = problem.file;
  if (problem.variable !== undefined) where = `environment variable ${problem.variable}`;
  else if (problem.line !== undefined) where += `:${problem.line}:${problem.column ?? 1}`;
  const severity = problem.severity === 'warning' ? 'warning: ' : '';
  const path = problem.path === '' ? '' : `${problem.path}: `;
  const guess = problem.suggestion === undefined ? '' : `; did you mean "${problem.suggestion}"?`;
  return `${where}: ${severity}${path}${problem.text}${guess} (${problem.code})`;
}

/** Everything that is wrong in a configuration, in one error; its code is that of the first problem. */
export class ConfigError extends SluiceError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(firstError(problems), problems.map(formatProblem).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

function firstError(problems: readonly Problem[]): ErrorCode {
  return problems.find(({ severity }) => severity === 'error')?.code ?? 'SLUICE_CONFIG_INVALID';
}
