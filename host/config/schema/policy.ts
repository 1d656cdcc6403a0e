import { type Static, Type } from 'typebox';
import {
  CEILINGS,
  type Ceilings,
  GRANTABLE_FEATURES,
  IMPORT_NAMES,
  SIMD_WORDS,
} from '../../../runtime/index.js';
import { Duration, NAME_PATTERN, Size, Text } from './parts.js';

const exact = { additionalProperties: false } as const;

/** RFC 9110, 5.1: a token; or `*`. */
const HEADER_PATTERN = "^(?:\\*|[A-Za-z0-9!#$%&'+.^_`|~-]{1,100})$";

const Simd = (description: string) =>
  Type.Union(
    [
      Type.Enum([...SIMD_WORDS], { type: 'string' }),
      Type.Array(Text({ maxLength: 64 }), {
        uniqueItems: true,
        title: 'list of vector instructions',
        examples: ['[v128.load, i32x4.add]'],
      }),
    ],
    { description },
  );

const Features = (description: string) =>
  Type.Array(Type.Enum([...GRANTABLE_FEATURES]), {
    uniqueItems: true,
    title: 'list of features',
    description,
  });

const Imports = (description: string) =>
  Type.Array(Type.Enum([...IMPORT_NAMES]), { uniqueItems: true, title: 'list of imports', description });

const Grant = Type.Object(
  {
    memory: Type.Optional(Size('Most linear memory, in place of plugins.memory.')),
    deadline: Type.Optional(Duration('Longest time of one call, in place of plugins.deadline.')),
    simd: Type.Optional(Simd('In place of the general rule.')),
    features: Type.Optional(Features('Beside those that every plugin may use.')),
    imports: Type.Optional(Imports('Beside those that every plugin may import.')),
    downgrade: Type.Optional(Type.Boolean({ description: 'In place of plugins.downgrade.' })),
  },
  exact,
);

export const SimdSchema = Simd(
  'Vector instructions that plugins may use. none; integer: none that works on floats; baseline: all of fixed width; ' +
    'or a list of names. Default baseline',
);

export const GrantsSchema = Type.Record(Type.String({ pattern: NAME_PATTERN }), Grant, {
  ...exact,
  description:
    'What single plugins get in place of what all get. Of that and of what a plugin asks for the smaller counts.',
});

const HeaderRules = (description: string) =>
  Type.Record(
    Type.String({ pattern: HEADER_PATTERN }),
    Type.Union([
      Type.Enum(['any', 'none'], { type: 'string' }),
      Type.Array(Text({ maxLength: 100 }), { minItems: 1, uniqueItems: true, title: 'list of values' }),
    ]),
    { ...exact, title: 'map of headers', description },
  );

const CeilingsSchema = Type.Unsafe<{ [name in keyof Ceilings]?: string | number }>(
  Type.Object(
    Object.fromEntries(
      Object.entries(CEILINGS).map(([name, { value, most, unit }]) => [
        name,
        Type.Optional(
          unit === 'bytes'
            ? Size(`Default ${value} bytes, at most ${most}`)
            : Type.Integer({ minimum: 0, maximum: most, description: `Default ${value}` }),
        ),
      ]),
    ),
    { ...exact, description: 'The most that a module may have of each.' },
  ),
);

/** What a policy may say: under plugins.policy, or as a file of its own. */
export const PolicySchema = Type.Object(
  {
    simd: Type.Optional(SimdSchema),
    features: Type.Optional(
      Features('Classes of features that plugins may use beside WebAssembly 1.0. Default: the usual ones.'),
    ),
    imports: Type.Optional(Imports('Functions that plugins may import. Default log')),
    grants: Type.Optional(GrantsSchema),
    headers: Type.Optional(
      Type.Object(
        {
          request: Type.Optional(
            HeaderRules(
              'Headers of requests about plugins, the quarantine and events, and to HTTP sources: any, none, or the values that are allowed; * is for all others. ' +
                'Default Content-Encoding gzip or identity, no Transfer-Encoding, all others any',
            ),
          ),
          response: Type.Optional(
            HeaderRules(
              'The same for the answers to these. Default Content-Encoding gzip or identity, Transfer-Encoding chunked, all others any',
            ),
          ),
        },
        exact,
      ),
    ),
    ceilings: Type.Optional(CeilingsSchema),
  },
  { ...exact, title: 'map with simd, features, imports, grants, headers, ceilings' },
);

/** What the user may say. What the code may assume is `PolicyContent`. */
export type PolicyInput = Static<typeof PolicySchema>;
