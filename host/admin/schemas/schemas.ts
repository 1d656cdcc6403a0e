import { type Static, Type } from 'typebox';
import { FindingView, GrantsView } from './schemas-policy.js';

const Count = Type.Integer({ minimum: 0 });
const Millis = Type.Integer({ minimum: 0, description: 'Milliseconds since 1970; 0: never.' });
const exact = { additionalProperties: false } as const;

const FaultView = Type.Object(
  { code: Type.String(), message: Type.String(), at: Type.Optional(Millis) },
  { ...exact, description: 'A coded failure.' },
);

/** What lies in the spool for one sink, or for the plugins of one route. */
const SPOOL_SUMS = {
  records: Count,
  bytes: Count,
  oldestMs: Count,
  fault: Type.Optional(FaultView),
  withoutPlace: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Sources of which nothing can be put there: all queues that there can be are taken.',
    }),
  ),
};

export const BreakerView = Type.Object(
  {
    state: Type.Enum(['closed', 'open', 'half-open']),
    openings: Type.Integer({ minimum: 0, description: 'In the last ten minutes.' }),
    route: Type.Optional(Type.String({ description: 'Where it is not closed.' })),
    reason: Type.Optional(Type.String({ description: 'The rule that was broken.' })),
    fault: Type.Optional(FaultView),
    retryInMs: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Absent while open: it waits for a new file or a reset.' }),
    ),
  },
  { ...exact, description: 'The circuit breaker of the newest generation.' },
);
export type BreakerView = Static<typeof BreakerView>;

export const PluginView = Type.Object(
  {
    name: Type.String(),
    version: Type.Optional(Type.String({ description: 'The version that serves, else the one offered.' })),
    file: Type.String({ description: 'In the plugin folder.' }),
    fileState: Type.Enum(['present', 'refused', 'gone'], {
      description:
        'present: the version shown is that of the file; refused: the file cannot be used, and the version shown was there before it; gone: the file was removed, and the version shown serves until the gateway stops.',
    }),
    signature: Type.Optional(
      Type.Object(
        {
          state: Type.Enum(['off', 'signed', 'unsigned', 'invalid', 'mismatch', 'untrusted', 'revoked']),
          key: Type.Optional(Type.String({ description: 'Id of the trusted key that vouches for it.' })),
          why: Type.Optional(Type.String()),
        },
        { ...exact, description: 'Of the version shown, held against the keys of this moment.' },
      ),
    ),
    state: Type.Enum(['serving', 'starting', 'waiting', 'refused', 'disabled', 'unused']),
    routes: Type.Array(Type.String()),
    generation: Count,
    sha256: Type.Optional(
      Type.String({
        description:
          'Of the file without its manifest: files that differ in name or version only have the same, and sha256sum says another.',
      }),
    ),
    framesPerSecond: Type.Number({ description: 'Over the last seconds.' }),
    faults: Type.Record(Type.String(), Count, { description: 'By code, since the start or the last reset.' }),
    lastFault: Type.Optional(FaultView),
    breaker: BreakerView,
    grants: Type.Optional(GrantsView),
    refused: Type.Optional(
      Type.Object(
        {
          version: Type.Optional(Type.String()),
          code: Type.String(),
          message: Type.String(),
          findings: Type.Optional(
            Type.Array(FindingView, {
              description: 'What the policy does not allow; not in the list of all plugins.',
            }),
          ),
        },
        { ...exact, description: 'The newest file, if it could not be used.' },
      ),
    ),
    previous: Type.Optional(
      Type.Object(
        { version: Type.String(), sha256: Type.String() },
        { ...exact, description: 'What a rollback would bring back.' },
      ),
    ),
  },
  exact,
);
export type PluginView = Static<typeof PluginView>;

export const RouteView = Type.Object(
  {
    name: Type.String(),
    from: Type.Array(Type.String()),
    filter: Type.Optional(
      Type.Array(Type.String(), { description: 'Topic filters; absent: all frames of its sources.' }),
    ),
    through: Type.Array(Type.Object({ plugin: Type.String(), version: Type.Optional(Type.String()) }, exact)),
    to: Type.Array(Type.String()),
    state: Type.Enum([
      'serving',
      'starting',
      'recovering',
      'open',
      'failed',
      'waiting',
      'refused',
      'disabled',
    ]),
    reason: Type.Optional(
      Type.String({ description: 'What is not as configured, and what becomes of its frames meanwhile.' }),
    ),
    code: Type.Optional(Type.String({ description: 'The code of that: `sluice errors CODE`.' })),
    generation: Count,
    breaker: BreakerView,
    slabsInUse: Count,
    unconfirmed: Type.Integer({
      minimum: 0,
      description: 'Groups of messages that a sink has not confirmed.',
    }),
    fullForMs: Count,
    parked: Type.Optional(
      Type.Object(SPOOL_SUMS, {
        ...exact,
        description: 'Frames on the disk that wait for its plugins; `fault`: why no more can be put there.',
      }),
    ),
  },
  exact,
);
export type RouteView = Static<typeof RouteView>;

export const SourceView = Type.Object(
  {
    name: Type.String(),
    kind: Type.String(),
    started: Type.Boolean(),
    state: Type.Enum(['waiting', 'live', 'stale'], {
      description:
        'By the age of its data: none yet; younger than staleAfterMs; older. Readiness does not depend on it.',
    }),
    staleAfterMs: Type.Optional(Type.Number({ description: 'Absent: it is not judged.' })),
    frames: Count,
    delivered: Count,
    framesPerSecond: Type.Number(),
    peers: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          state: Type.Enum(['connecting', 'connected', 'waiting', 'stopped']),
          fault: Type.Optional(FaultView),
          lastFrame: Millis,
          ageMs: Type.Optional(Type.Integer({ minimum: 0, description: 'Since the last frame.' })),
          stale: Type.Optional(
            Type.Boolean({
              description: 'A device that is asked brings no data, though others of its source may.',
            }),
          ),
        },
        exact,
      ),
    ),
  },
  exact,
);
export type SourceView = Static<typeof SourceView>;

export const SinkView = Type.Object(
  {
    name: Type.String(),
    state: Type.Enum(['connecting', 'connected', 'waiting', 'stopped']),
    fault: Type.Optional(FaultView),
    inFlight: Type.Integer({ minimum: 0, description: 'Messages taken but not confirmed.' }),
    spool: Type.Optional(
      Type.Object(SPOOL_SUMS, {
        ...exact,
        description: 'What lies on the disk for it; fault: why nothing can be put there.',
      }),
    ),
    messages: Count,
    messagesPerSecond: Type.Number(),
    lastMessage: Millis,
    ageMs: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Since a message was confirmed last, to a second.' }),
    ),
  },
  exact,
);
export type SinkView = Static<typeof SinkView>;

export const VersionView = Type.Object(
  {
    version: Type.String(),
    node: Type.String(),
    uploads: Type.Boolean(),
  },
  exact,
);
export type VersionView = Static<typeof VersionView>;

export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.Optional(Type.String({ description: 'SLUICE_...; `sluice errors CODE` explains it.' })),
    remedy: Type.Optional(Type.String()),
  },
  { ...exact, description: 'RFC 9457.' },
);
