import { Type } from 'typebox';
import { Duration } from './parts.js';

const exact = { additionalProperties: false } as const;

const Share = (description: string) => Type.Number({ minimum: 0.01, maximum: 1, description });

export const WhenOpenSchema = Type.Enum(['fallback', 'spool', 'refuse', 'fail-closed'], {
  description:
    'What becomes of frames while the breaker is open. fallback: the version before serves them, and where there is ' +
    'none, as spool. spool: they wait on the disk, in the space and by the whenFull of the spool, and go through the ' +
    'plugin in their order when it serves again; without a data folder they wait in memory, and their sources with ' +
    'them; where there is no room for frames of a source that other routes read too, these are refused. ' +
    'refuse, in the words of Envoy fail-closed: they are refused and counted: polls are left out, senders over HTTP, ' +
    'CoAP and Modbus are told to come again, all else goes into quarantine. Default fallback',
});

export const BreakerSchema = Type.Object(
  {
    whenOpen: Type.Optional(WhenOpenSchema),
    faults: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: 'Faults in a row that open it. Default 5',
      }),
    ),
    rate: Type.Optional(Share('Share of the frames in a window whose faults open it. Default 0.5')),
    slow: Type.Optional(
      Share('Share of the batches in a window that took over 75 % of their time and open it. Default 0.5'),
    ),
    least: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: 'Least frames, or batches, that a share is taken of. Default 20',
      }),
    ),
    window: Type.Optional(Duration('Length of the window. Default 10s')),
    pause: Type.Optional(
      Type.Object(
        {
          min: Type.Optional(Duration('First pause. Default 1s')),
          max: Type.Optional(Duration('Longest pause. Default 30s')),
        },
        { ...exact, description: 'Pauses before it is tried again; they double up to the longest.' },
      ),
    ),
  },
  { ...exact, description: 'When a plugin is not called any more, and what then becomes of its frames.' },
);

export const ProbationSchema = Type.Object(
  {
    frames: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 1_000_000_000, description: 'First frames. Default 1000' }),
    ),
    for: Type.Optional(Duration('First time. Default 10s')),
  },
  {
    ...exact,
    description:
      'A new version that fails within its first frames, or its first time, is taken back, and the one before serves again.',
  },
);
