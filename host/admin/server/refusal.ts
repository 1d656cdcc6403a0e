import { STATUS_CODES } from 'node:http';
import type { FastifyReply } from 'fastify';
import { type ErrorCode, SluiceError } from '../../../runtime/index.js';
import { PROBLEM_TYPE, problemJson } from './problem-json.js';

/** Codes whose meaning is in the request, with their status. What is wrong with a plugin is 422. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  SLUICE_ADMIN_REQUEST: 400,
  SLUICE_HEADER_REQUEST: 400,
  SLUICE_ADMIN_TOKEN: 401,
  SLUICE_ADMIN_ORIGIN: 403,
  SLUICE_ADMIN_UPLOADS_OFF: 403,
  SLUICE_ADMIN_PATH: 404,
  SLUICE_ADMIN_PLUGIN: 404,
  SLUICE_QUARANTINE_ID: 404,
  SLUICE_ADMIN_METHOD: 405,
  SLUICE_ADMIN_NO_PREVIOUS: 409,
  SLUICE_POLICY_NO_FILE: 409,
  SLUICE_QUARANTINE_ROUTE: 409,
  SLUICE_PLUGIN_NAME_TAKEN: 409,
  SLUICE_PLUGIN_DOWNGRADE: 409,
  SLUICE_MODULE_TOO_LARGE: 413,
  SLUICE_ADMIN_TYPE: 415,
  SLUICE_ADMIN_ENCODING: 415,
  // This server answers for no such name. Source: RFC 9110, 15.5.20.
  SLUICE_ADMIN_HOST: 421,
  SLUICE_INTERNAL: 500,
  SLUICE_HEADER_RESPONSE: 500,
  SLUICE_ADMIN_STORE: 500,
  SLUICE_PLUGIN_FOLDER: 500,
  SLUICE_ADMIN_BUSY: 503,
  // The gateway's state, not the plugin's doing.
  SLUICE_SANDBOX_LIMIT: 503,
};

export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? 422;
}

/** Answers with the problem document of a coded error. Source: RFC 9457. */
export function refuse(reply: FastifyReply, error: SluiceError): FastifyReply {
  const status = statusOf(error.code);
  return reply
    .code(status)
    .type(PROBLEM_TYPE)
    .send(problemJson(status, STATUS_CODES[status] ?? 'Error', error.message, error.code));
}

/** What Fastify itself says of a request, in our codes. */
export function fromFastify(
  thrown: Error & { statusCode?: number },
  { headers }: { readonly headers: { readonly 'content-type'?: string | undefined } },
): SluiceError {
  if (thrown instanceof SluiceError) return thrown;
  const { statusCode = 500 } = thrown;
  const type = headers['content-type'];
  const ofType = type === undefined ? 'the request has no Content-Type' : `${type} is not taken here`;
  const message = statusCode === 415 ? ofType : thrown.message;
  const code: ErrorCode =
    statusCode === 404
      ? 'SLUICE_ADMIN_PATH'
      : statusCode === 413
        ? 'SLUICE_MODULE_TOO_LARGE'
        : statusCode === 415
          ? 'SLUICE_ADMIN_TYPE'
          : statusCode < 500
            ? 'SLUICE_ADMIN_REQUEST'
            : 'SLUICE_INTERNAL';
  return new SluiceError(code, message, { cause: thrown });
}
