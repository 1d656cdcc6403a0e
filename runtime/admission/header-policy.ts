import { type Finding, SluiceError } from '../errors.js';

/** `request`: what comes to us or leaves us as one; `response` likewise. */
export type Direction = 'request' | 'response';

/** The values that a header may have; an empty list: it may not be there. */
export type HeaderRule = 'any' | readonly string[];

/** Rules by name in lower case; `*` is for every header that has none of its own. */
export type HeaderRules = Readonly<Record<string, HeaderRule>>;

export type HeaderPolicy = Readonly<Record<Direction, HeaderRules>>;

/** Codings that are undone here, and chunks only where we are the one who reads them. */
export const DEFAULT_HEADERS: HeaderPolicy = {
  request: { '*': 'any', 'content-encoding': ['gzip', 'identity'], 'transfer-encoding': [] },
  response: { '*': 'any', 'content-encoding': ['gzip', 'identity'], 'transfer-encoding': ['chunked'] },
};

/** Headers as Node gives them. */
export type Headers = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** The part of a policy that is about headers. */
export interface HeaderJudge {
  readonly version: number;
  readonly headers: HeaderPolicy;
  readonly places: { readonly beforeRest: string; readonly behind: string };
}

/** As much of a header as a message shows. */
const SHOWN = 60;
/** Headers whose values are nobody's business. */
const SECRET = /auth|cookie|token|key|secret|pass/i;

/**
 * Every header of one HTTP message that the policy does not allow. A value is a list of tokens (RFC 9110,
 * 5.6.1 and 8.4; RFC 9112, 6.1): each is looked at, without its parameters and without regard to capitals.
 */
export function judgeHeaders(direction: Direction, headers: Headers, policy: HeaderJudge): Finding[] {
  const rules = policy.headers[direction];
  return Object.entries(headers).flatMap(([written, value]) => {
    if (value === undefined) return [];
    const name = written.toLowerCase();
    const [at, rule] = Object.hasOwn(rules, name) ? [name, rules[name]] : ['*', rules['*'] ?? []];
    if (rule === 'any' || rule === undefined) return [];
    const text = Array.isArray(value) ? value.join(', ') : String(value);
    const tokens = tokensOf(text);
    if (tokens.length > 0 && tokens.every(token => rule.includes(token))) return [];
    return [finding(direction, { written, text, at, rule }, policy)];
  });
}

/** @throws SluiceError SLUICE_HEADER_REQUEST or SLUICE_HEADER_RESPONSE, with the findings */
export function refuseHeaders(direction: Direction, headers: Headers, policy: HeaderJudge): void {
  const findings = judgeHeaders(direction, headers, policy);
  const [first] = findings;
  if (first === undefined) return;
  const more = findings.length === 1 ? '' : ` (and ${findings.length - 1} more)`;
  throw new SluiceError(first.code, `${first.found}${more}: ${first.why}; ${first.fix}`, { findings });
}

/** Those of the headers that the policy allows. */
export function allowedHeaders<Value extends Headers[string]>(
  direction: Direction,
  headers: Readonly<Record<string, Value>>,
  policy: HeaderJudge,
): Record<string, Value> {
  const allowed = Object.entries(headers).filter(
    ([name, value]) => judgeHeaders(direction, { [name]: value }, policy).length === 0,
  );
  return Object.fromEntries(allowed);
}

interface Broken {
  readonly written: string;
  readonly text: string;
  readonly at: string;
  readonly rule: readonly string[];
}

function finding(direction: Direction, { written, text, at, rule }: Broken, policy: HeaderJudge): Finding {
  const { beforeRest, behind } = policy.places;
  const allowed = rule.length === 0 ? 'none' : rule.join(', ');
  const here = `headers.${direction}.${at === '*' ? written.toLowerCase() : at}`;
  const instead = rule.length === 0 ? 'leave the header out' : `send ${rule.join(' or ')}`;
  return {
    code: direction === 'request' ? 'SLUICE_HEADER_REQUEST' : 'SLUICE_HEADER_RESPONSE',
    policy: policy.version,
    rule: `policy.headers.${direction}.${at}: ${allowed}`,
    found: `the ${direction} has ${shown(written)}${at === '*' || SECRET.test(written) ? '' : `: ${shown(text)}`}`,
    total: 1,
    why: `policy ${policy.version} allows headers.${direction}.${at}: ${allowed}`,
    fix: `${instead}, or allow it in ${beforeRest}${shown(here)}${behind}`,
  };
}

function tokensOf(text: string): string[] {
  return text
    .split(',')
    .map(part => (part.split(';', 1)[0] as string).trim().toLowerCase())
    .filter(token => token !== '');
}

/** What a stranger sent, on one line of a log. */
function shown(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/g, '?');
  return plain.length > SHOWN ? `${plain.slice(0, SHOWN)}...` : plain;
}
