import {
  checkPorts,
  type Granted,
  grant,
  judge,
  judgeComponentImports,
  LIMITS,
  type Policy,
  refusal,
  type SluiceError,
} from '../../../runtime/index.js';
import type { ChainFacts, ChainSpec, StageSpec } from '../../../sandbox/index.js';
import type { PluginsConfig, StepConfig } from '../../config/config.js';
import type { Offer } from '../../plugins/offer.js';
import type { PolicyKeeper } from '../../policy/policy-keeper.js';

/** What a route is to run: its steps, with the version of each plugin. */
export interface Wanted {
  readonly steps: readonly StepConfig[];
  readonly offers: ReadonlyMap<string, Offer>;
}

/**
 * The chain under the policy of this moment; one that changes before it serves is looked at again.
 * @throws SluiceError SLUICE_CHAIN_PORTS
 */
export function chainOf(wanted: Wanted, plugins: PluginsConfig, keeper: PolicyKeeper): ChainSpec {
  const policy = keeper.current;
  checkPorts(wanted.steps.map(({ plugin, config }) => portsOf(plugin, config, wanted.offers)));
  const stages = wanted.steps.map(step => stageOf(step, wanted.offers, plugins, policy));
  const outputs = [...wanted.offers.values()].map(({ manifest }) => manifest.limits.output ?? LIMITS.output);
  return {
    stages,
    startDeadlineMs: plugins.startDeadlineMs,
    output: Math.min(LIMITS.output, ...outputs),
    snapshotEvery: plugins.snapshotEvery,
    breaker: plugins.breaker.limits,
    probation: plugins.probation,
    forbids: facts =>
      keeper.current.version === policy.version
        ? undefined
        : forbidden(chainOf(wanted, plugins, keeper).stages, facts),
  };
}

/** What a plugin gets: of what it asks for and what is granted, the smaller. */
export function grantedTo(
  { manifest }: Offer,
  plugins: PluginsConfig,
  policy: Policy,
  deadlineMs?: number,
): Granted {
  const base = { memory: plugins.memoryBytes, deadline: plugins.deadlineMs };
  return grant(policy, manifest, base, deadlineMs);
}

/** Why these modules may not run, by the rules of their stages. Places of instructions are not in it. */
export function forbidden(stages: readonly StageSpec[], facts: ChainFacts): SluiceError | undefined {
  for (const [index, { plugin, code, rules }] of stages.entries()) {
    const isComponent = code.format === 'component';
    const findings = [
      ...(isComponent ? judgeComponentImports(code.imports, rules) : []),
      ...(facts[index] ?? []).flatMap(each => judge(each, rules, isComponent ? 'component' : 'file')),
    ];
    if (findings.length > 0) return refusal(plugin, findings);
  }
  return undefined;
}

/** The same caps: then other rules do not need another instance. */
export function hasSameCaps(one: ChainSpec, other: ChainSpec): boolean {
  const caps = ({ stages }: ChainSpec) =>
    stages
      .map(({ deadlineMs, rules }) => `${deadlineMs} ${rules.memory.is} ${rules.ceilings.is.tableEntries}`)
      .join();
  return caps(one) === caps(other);
}

/** Less memory or smaller tables for one of the stages: what an instance has by now may be more. */
export function hasSmallerCaps(one: ChainSpec, other: ChainSpec): boolean {
  return one.stages.some(({ rules }, index) => {
    const after = other.stages[index]?.rules ?? rules;
    return (
      after.memory.is < rules.memory.is || after.ceilings.is.tableEntries < rules.ceilings.is.tableEntries
    );
  });
}

function stageOf(
  step: StepConfig,
  offers: ReadonlyMap<string, Offer>,
  plugins: PluginsConfig,
  policy: Policy,
): StageSpec {
  const offer = offers.get(step.plugin) as Offer;
  const { name: plugin, version, kind, vectors = [] } = offer.manifest;
  const { rules, deadline: deadlineMs } = grantedTo(offer, plugins, policy, step.deadlineMs);
  return { plugin, version, kind, config: step.config, code: offer.code, vectors, deadlineMs, rules };
}

function portsOf(
  plugin: string,
  config: string,
  offers: ReadonlyMap<string, Offer>,
): Parameters<typeof checkPorts>[0][number] {
  const { kind, accepts, ports } = (offers.get(plugin) as Offer).manifest;
  return { plugin, kind, accepts, config, ...(ports === undefined ? {} : { ports }) };
}
