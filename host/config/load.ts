import { dirname, resolve } from 'node:path';
import { faultOf, SluiceError } from '../../runtime/index.js';
import { checkPlugins, checkRoutes } from './check/cross-check.js';
import { checkLoops } from './check/loops.js';
import { namesOf } from './check/names.js';
import { validate } from './check/validate.js';
import type { Config, PolicyConfig } from './config.js';
import { applyEnvironment, type Environment } from './environment.js';
import { readPolicy } from './load-policy.js';
import { normalise } from './normalise/normalise.js';
import { Origins } from './origins.js';
import { ConfigError, type Problem } from './problem.js';
import { readText } from './read-text.js';
import { ConfigSchema, configNode } from './schema/schema.js';
import { resolveSecrets } from './secrets.js';
import { usablePart } from './usable-part.js';
import { readYaml } from './yaml.js';

export interface LoadOptions {
  /** Default: that of the process. */
  readonly environment?: Environment;
  /** Names of the plugins in the folder; if given, what routes name is compared with them. */
  readonly pluginNames?: (dir: string) => Promise<readonly string[]>;
  /** Of a plugin that is not there, but has a name like one that is. Default: `error`. */
  readonly misspelt?: 'error' | 'warning';
}

export interface LoadedConfig {
  /** Absolute name of the file. */
  readonly file: string;
  readonly config: Config;
  /** Doubtful, but no reason not to start. */
  readonly warnings: readonly Problem[];
}

/** The file that is read when none is named. */
const DEFAULT_CONFIG = 'sluice.yaml';

/**
 * File, environment, secrets, check, defaults: in this order.
 * @throws ConfigError with every problem found (SLUICE_CONFIG_SYNTAX, _SECRET, _INVALID, SLUICE_PLUGIN_UNKNOWN)
 * @throws SluiceError SLUICE_CONFIG_UNREADABLE
 */
export async function loadConfig(
  file: string = DEFAULT_CONFIG,
  options: LoadOptions = {},
): Promise<LoadedConfig> {
  return readConfig(await readText(file), file, options);
}

/** The same from text; `file` is its name in messages, and its folder is that of relative paths. */
export async function readConfig(
  text: string,
  file: string,
  options: LoadOptions = {},
): Promise<LoadedConfig> {
  const { environment = process.env } = options;
  const origins = new Origins(file);
  const folder = dirname(resolve(file));
  try {
    const config = await build(text, folder, environment, origins, options);
    const policy = config === undefined ? undefined : await policyFrom(config.plugins.policy, origins);
    if (config === undefined || policy === undefined || origins.failed)
      throw new ConfigError(sorted(origins.problems));
    const plugins = { ...config.plugins, policy };
    return { file: resolve(file), config: { ...config, plugins }, warnings: sorted(origins.problems) };
  } catch (thrown) {
    if (thrown instanceof SluiceError) throw thrown;
    throw new SluiceError('SLUICE_INTERNAL', `${file}: ${String(thrown)}`, { cause: thrown });
  }
}

async function build(
  text: string,
  folder: string,
  environment: Environment,
  origins: Origins,
  options: LoadOptions,
): Promise<Config | undefined> {
  const written = readYaml(text, origins) ?? Object.create(null);
  if (!origins.failed && (typeof written !== 'object' || Array.isArray(written))) {
    origins.error([], 'must be a map with keys such as sources, sinks, routes');
  }
  if (origins.failed) return undefined;
  applyEnvironment(written, configNode, environment, origins);
  if (Object.keys(written).length === 0) {
    origins.error([], 'is empty; `sources` is the least it needs');
    return undefined;
  }
  const filled = resolveSecrets(written, configNode, environment, folder, origins);
  const input = validate(filled, ConfigSchema, origins) ? filled : usablePart(filled, origins);
  const names = namesOf(filled);
  checkRoutes(names, origins);
  const config = normalise(input, folder, origins);
  checkLoops(config, origins);
  if (options.pluginNames !== undefined) {
    const { dir } = config.plugins;
    checkPlugins(names, dir, await options.pluginNames(dir), options.misspelt ?? 'error', origins);
  }
  return config;
}

/** The policy with what its file says, if it stands in one. What is wrong with that file goes to the problems. */
async function policyFrom(policy: PolicyConfig, origins: Origins): Promise<PolicyConfig | undefined> {
  if (policy.file === undefined) return policy;
  const { path } = policy.file;
  try {
    const text = await readText(path);
    return { content: readPolicy(text, path), file: { path, text } };
  } catch (thrown) {
    if (thrown instanceof ConfigError) origins.problems.push(...thrown.problems);
    else {
      const { code, message } = faultOf(thrown);
      origins.error(['plugins', 'policy'], message, { code });
    }
    return undefined;
  }
}

/** In the order of the file; what came from the environment first. */
function sorted(problems: readonly Problem[]): Problem[] {
  const order = (a: Problem, b: Problem) =>
    (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
  return [...problems].sort(order);
}
