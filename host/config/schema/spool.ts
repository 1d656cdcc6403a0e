import { type Static, Type } from 'typebox';

/** Of a sink. */
export const SinkSpoolSchema = Type.Union(
  [
    Type.Boolean(),
    Type.Object(
      {
        rate: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 1_000_000,
            description: 'Most messages a second out of the spool. Default: as many as the sink takes',
          }),
        ),
      },
      { additionalProperties: false, title: 'map with rate' },
    ),
  ],
  {
    description:
      'Whether messages are put on the disk (data.dir) while the sink is away, full or slow. Default true where they are acknowledged (qos 1), else false',
  },
);

/** Of a route. */
export const CatchUpSchema = Type.Enum(['ordered', 'fresh-first'], {
  description:
    'ordered: fresh messages of a source wait behind those of it in the spool; fresh-first: they do not, and those of the spool carry the property sluice-late. Default ordered',
});

export const WhenFullSchema = Type.Enum(['keep-all', 'keep-newest', 'down-sample'], {
  description:
    'When data.max is reached. keep-all: the route waits, and so do its sources; keep-newest: its oldest messages go; down-sample: of the older half every second one goes, again and again. What a sink has in hand stays on the disk: with a small data.max set its window.bytes (8MiB) well below. Default keep-all',
});

export type SinkSpoolInput = Static<typeof SinkSpoolSchema>;
