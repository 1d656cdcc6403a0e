import { ERRORS, type ErrorCode } from '../../../runtime/index.js';

/** The body of an error answer. Source: RFC 9457, 3.1. */
export interface ProblemJson {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Extension member: a code of the table. */
  readonly code?: ErrorCode;
  /** Extension member: what to do. */
  readonly remedy?: string;
}

export const PROBLEM_TYPE = 'application/problem+json';

export function problemJson(status: number, title: string, detail: string, code?: ErrorCode): ProblemJson {
  return {
    type: 'about:blank',
    title,
    status,
    detail,
    ...(code === undefined ? {} : { code, remedy: ERRORS[code].remedy }),
  };
}
