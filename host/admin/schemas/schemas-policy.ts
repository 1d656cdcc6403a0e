import { type Static, Type } from 'typebox';
import { PolicySchema } from '../../config/schema/policy.js';

const exact = { additionalProperties: false } as const;

export const PolicyView = Type.Object(
  {
    version: Type.Integer({ minimum: 1, description: 'Counted up at each change; every refusal quotes it.' }),
    source: Type.Enum(['configuration', 'file']),
    file: Type.Optional(Type.String()),
    policy: PolicySchema,
    refused: Type.Optional(
      Type.Object(
        { code: Type.String(), message: Type.String() },
        { ...exact, description: 'Why the file as it is now is not in force.' },
      ),
    ),
  },
  exact,
);
export type PolicyView = Static<typeof PolicyView>;

/** What a plugin gets: of what it asks for and what is granted, the smaller. */
export const GrantsView = Type.Object(
  {
    memory: Type.Integer({ description: 'Bytes.' }),
    deadline: Type.Number({ description: 'Milliseconds of one call.' }),
    simd: Type.Union([Type.String(), Type.Array(Type.String())]),
    features: Type.Array(Type.String()),
    imports: Type.Array(Type.String()),
    denied: Type.Array(Type.String(), { description: 'What it asks for and does not get.' }),
  },
  exact,
);

export const FindingView = Type.Object(
  {
    code: Type.String(),
    policy: Type.Integer(),
    rule: Type.String(),
    found: Type.String(),
    total: Type.Integer({ description: 'How often this rule is broken; at most a hundred are listed.' }),
    why: Type.String(),
    fix: Type.String(),
    opcode: Type.Optional(Type.String()),
    offset: Type.Optional(Type.Integer({ description: 'Byte from the start of the file.' })),
    function: Type.Optional(Type.Integer({ description: 'Index, imported ones counted.' })),
    name: Type.Optional(Type.String({ description: 'Of the function.' })),
  },
  { ...exact, description: 'One thing that the policy does not allow.' },
);
