/**
 * Codes of messages, class in the upper three bits. Source: RFC 7252, 12.1; RFC 7959, 6; RFC 8516, 6 (4.29).
 */
export const CODE = {
  empty: 0x00,
  get: 0x01,
  post: 0x02,
  put: 0x03,
  valid: 0x43,
  changed: 0x44,
  content: 0x45,
  continue: 0x5f,
  badRequest: 0x80,
  unauthorized: 0x81,
  badOption: 0x82,
  notFound: 0x84,
  methodNotAllowed: 0x85,
  notAcceptable: 0x86,
  incomplete: 0x88,
  tooLarge: 0x8d,
  tooMany: 0x9d,
  unavailable: 0xa3,
  timeout: 0xa4,
} as const;

/** 0: a request; 2: success; 4 and 5: errors. */
export function classOf(code: number): number {
  return code >> 5;
}

/** As people write it: `2.05`. */
export function codeText(code: number): string {
  return `${classOf(code)}.${String(code & 31).padStart(2, '0')}`;
}
