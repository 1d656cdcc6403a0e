import { type Finding, SluiceError } from '../errors.js';
import { LIMITS } from '../limits.js';
import { quote } from './quote.js';

/** Rules that are written out in a message; the findings hold them all. */
const SHOWN = 3;

/** What, where, which rule, how to fix: for each rule that is broken its first finding. */
export function refusal(plugin: string, findings: readonly Finding[]): SluiceError {
  const [first] = findings as readonly [Finding, ...Finding[]];
  const rules = [
    ...new Map(findings.toReversed().map(each => [`${each.code} ${each.rule}`, each])).values(),
  ].toReversed();
  const rest = rules.length - SHOWN;
  const texts = rules.slice(0, SHOWN).map(sentence);
  if (rest > 0) texts.push(`${rest} more rules are broken`);
  const message = `${plugin}: ${texts.join('. Also: ')}`;
  return new SluiceError(first.code, message, { step: 'admit', plugin, findings });
}

/** One finding, for a person. */
function sentence(finding: Finding): string {
  const { found, total, why, fix } = finding;
  const more = total > 1 ? ` (and ${total - 1} more)` : '';
  return `${found}${placeText(finding)}${more}: ${why}; ${fix}`;
}

/** ` at byte 1234 in function 7 "mix"`; empty where there is no place. */
function placeText({ offset, function: index, name }: Finding): string {
  const at = offset === undefined ? '' : ` at byte ${offset}`;
  if (index === undefined) return at;
  return `${at} in function ${index}${name === undefined ? '' : ` ${quote(name, LIMITS.shownName + 3)}`}`;
}
