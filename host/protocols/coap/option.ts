/** Source: RFC 7252, 12.2; RFC 7641, 2; RFC 7959, 2.1 and 4; RFC 7967, 2; RFC 9175, 2.2.1. */
export const OPTION = {
  uriHost: 3,
  etag: 4,
  observe: 6,
  uriPort: 7,
  uriPath: 11,
  contentFormat: 12,
  maxAge: 14,
  uriQuery: 15,
  accept: 17,
  block2: 23,
  block1: 27,
  size2: 28,
  size1: 60,
  echo: 252,
  noResponse: 258,
} as const;

export interface Option {
  readonly number: number;
  readonly value: Uint8Array;
}

export function option(number: number, value: Uint8Array): Option {
  return { number, value };
}

/** An option that is a number, leading zeros left out. Source: RFC 7252, 3.2. */
export function uintOption(number: number, value: number): Option {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest & 255);
  return { number, value: Uint8Array.from(bytes) };
}

/** Who does not know an option of an odd number must not go on. Source: RFC 7252, 5.4.6. */
export function isCritical(number: number): boolean {
  return number % 2 === 1;
}
