import { Type } from 'typebox';

const Count = Type.Integer({ minimum: 0 });
const exact = { additionalProperties: false } as const;

/** A frame in quarantine; also a line of the files that `sluice replay` reads. */
export const QuarantinedView = Type.Object(
  {
    id: Count,
    at: Type.Integer({ description: 'When it went in, milliseconds since 1970.' }),
    route: Type.String(),
    plugin: Type.String(),
    version: Type.String({ description: 'Of the plugin that failed.' }),
    stage: Type.Integer({ minimum: 0, description: 'Place of the plugin in its chain.' }),
    code: Type.String(),
    message: Type.String(),
    replays: Type.Integer({ minimum: 0, description: 'Times that it was replayed and failed again.' }),
    trace: Type.Optional(Type.String({ description: 'Trace id that it came with (W3C Trace Context).' })),
    source: Type.String(),
    topic: Type.String(),
    timestamp: Type.String({ description: 'Nanoseconds since 1970.' }),
    payload: Type.String({ description: 'Hex, byte for byte as it came.' }),
    properties: Type.Array(Type.Tuple([Type.String(), Type.String()])),
  },
  exact,
);

export const ReplayView = Type.Object(
  {
    id: Count,
    outcome: Type.Enum(['delivered', 'refused', 'pending']),
    plugin: Type.Optional(Type.String()),
    code: Type.Optional(Type.String()),
    message: Type.Optional(Type.String()),
  },
  { ...exact, description: 'pending: its route has not answered yet; look again later.' },
);

export const ReplayTallyView = Type.Object(
  { delivered: Count, refused: Count, pending: Count },
  { ...exact, description: 'pending: the route did not answer in time, and the rest was left.' },
);
