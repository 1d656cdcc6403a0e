import { ERRORS, type Fault, type Finding, faultOf, refusal } from '../../runtime/index.js';

/** One reason why a gateway would not take a file. What is beside the first three is there where it applies. */
export interface CheckFinding extends Partial<Omit<Finding, 'code'>> {
  readonly code: Fault['code'];
  /** What, where and why; begins with the name of the file. */
  readonly message: string;
  readonly remedy: string;
}

/** What was thrown on the way. */
export function findingOf(file: string, thrown: unknown): CheckFinding {
  const { code, message } = faultOf(thrown);
  return { code, message: inFile(file, message), remedy: ERRORS[code].remedy };
}

/** What the policy does not allow. */
export function policyFinding(file: string, finding: Finding): CheckFinding {
  return { ...finding, message: refusal(file, [finding]).message, remedy: finding.fix };
}

function inFile(file: string, message: string): string {
  return message.startsWith(file) ? message : `${file}: ${message}`;
}
