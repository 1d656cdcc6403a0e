import { dirname, resolve } from 'node:path';
import { DEFAULT_POLICY, type PolicyContent } from '../../runtime/index.js';
import { validate } from './check/validate.js';
import { normalisePolicy } from './normalise/policy.js';
import { Origins } from './origins.js';
import { ConfigError } from './problem.js';
import { Reader } from './reader.js';
import { PolicySchema } from './schema/policy.js';
import { readYaml } from './yaml.js';

/**
 * A policy from the text of its file. References to secrets and the environment have no place in it.
 * @throws ConfigError with every problem found (SLUICE_CONFIG_SYNTAX, SLUICE_CONFIG_INVALID)
 */
export function readPolicy(text: string, file: string): PolicyContent {
  const origins = new Origins(file);
  const input = readYaml(text, origins);
  const places = { before: '', beforeRest: '', behind: ` in ${resolve(file)}` };
  let content: PolicyContent = { ...DEFAULT_POLICY, places };
  // A file that is about to be written must not take a policy away.
  if (!origins.failed && (input === null || input === undefined))
    origins.error([], 'is empty; {} is the policy that changes nothing');
  else if (!origins.failed && validate(input, PolicySchema, origins))
    content = normalisePolicy(input, [], new Reader(origins, dirname(file)), places);
  if (origins.failed) throw new ConfigError(origins.problems);
  return content;
}
