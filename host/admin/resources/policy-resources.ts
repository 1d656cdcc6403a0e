import type { FastifyRequest } from 'fastify';
import { faultOf } from '../../../runtime/index.js';
import { writtenPolicy } from '../../config/written-policy.js';
import type { PolicyControl } from '../../policy/policy-control.js';
import type { Audit } from '../events/audit.js';
import { within } from '../plugins/within.js';
import { PolicyView } from '../schemas/schemas-policy.js';
import { textOf } from '../server/body.js';
import type { Resource } from '../server/resource.js';

/** A policy with a list of all vector instructions for each of a hundred plugins. */
const MOST_BYTES = 1 << 20;
/** An answer waits this long for what becomes of a change. */
const ANSWER_MS = 10_000;

export interface PolicyParts {
  readonly policy: PolicyControl;
  readonly audit: Audit;
  /** What the policy forbids has ended, and what it allows again has been started. */
  readonly enforced: () => Promise<void>;
}

/** What is under /v1/policy. */
export function policyResources({ policy, audit, enforced }: PolicyParts): Resource[] {
  const change = async (request: FastifyRequest): Promise<boolean> => {
    const entry = { who: request.ip, action: 'policy.change' };
    try {
      await policy.write(await textOf(request.raw, MOST_BYTES));
      const done =
        (await within(
          ANSWER_MS,
          enforced().then(() => true),
        )) === true;
      const detail = `policy ${policy.keeper.current.version}`;
      await audit.record({ ...entry, outcome: done ? 'ok' : 'pending', detail });
      return done;
    } catch (thrown) {
      const { code, message } = faultOf(thrown);
      await audit.record({ ...entry, outcome: code, detail: message });
      throw thrown;
    }
  };
  return [
    {
      path: '/v1/policy',
      operations: {
        GET: { summary: 'The policy in force.', answers: { 200: PolicyView }, run: () => view(policy) },
        PUT: {
          summary: 'Writes the file of the policy; what it forbids is stopped.',
          body: ['application/yaml', 'application/json'],
          answers: { 200: PolicyView, 202: PolicyView },
          run: async (request, reply) => reply.code((await change(request)) ? 200 : 202).send(view(policy)),
        },
      },
    },
  ];
}

function view({ keeper, file, refusal }: PolicyControl): PolicyView {
  return {
    version: keeper.current.version,
    source: file === undefined ? 'configuration' : 'file',
    ...(file === undefined ? {} : { file }),
    policy: writtenPolicy(keeper.current),
    ...(refusal === undefined ? {} : { refused: { code: refusal.code, message: refusal.message } }),
  };
}
