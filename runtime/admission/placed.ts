import type { Finding } from '../errors.js';
import { MOST_FINDINGS } from './judge/judge.js';
import { locate } from './locate.js';
import type { ModuleFacts } from './scan/facts.js';
import { functionNames } from './scan/function-names.js';

/**
 * Findings with their places: for the instructions of a rule every place in the file, in its order, up to the most
 * that are listed; for the others the name of the function, where there is one.
 * @param bytes the module that the facts are of
 */
export function placed(findings: readonly Finding[], bytes: Uint8Array, facts: ModuleFacts): Finding[] {
  const rules = Map.groupBy(findings, ({ rule, opcode }) => (opcode === undefined ? '' : rule));
  const named = withNames(rules.get('') ?? [], bytes, facts);
  rules.delete('');
  return [...named, ...[...rules.values()].flatMap(each => everyPlace(each, bytes))].sort(
    (a, b) => orderOf(a, findings) - orderOf(b, findings),
  );
}

function everyPlace(findings: readonly Finding[], bytes: Uint8Array): Finding[] {
  const byOpcode = new Map(findings.map(finding => [finding.opcode, finding]));
  const wanted = new Set(findings.flatMap(({ opcode }) => opcode ?? []));
  const { total, places } = locate(bytes, wanted, MOST_FINDINGS);
  return places.map(place => ({ ...(byOpcode.get(place.opcode) as Finding), ...place, total }));
}

function withNames(findings: readonly Finding[], bytes: Uint8Array, facts: ModuleFacts): Finding[] {
  const indexes = new Set(findings.flatMap(({ function: index }) => index ?? []));
  const names = functionNames(bytes, facts.sections, indexes);
  return findings.map(finding => {
    const name = finding.function === undefined ? undefined : names.get(finding.function);
    return name === undefined ? finding : { ...finding, name };
  });
}

/** Rules stay in the order in which they were judged. */
function orderOf(finding: Finding, judged: readonly Finding[]): number {
  return judged.findIndex(({ rule, code }) => rule === finding.rule && code === finding.code);
}
