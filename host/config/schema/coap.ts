import { type Static, Type } from 'typebox';
import { Duration, NAME_PATTERN, Reconnect, Size, Text } from './parts.js';
import { Host, Port, TotalRate } from './serve.js';

const exact = { additionalProperties: false } as const;

const Device = Type.Object(
  {
    name: Type.Optional(Text({ pattern: NAME_PATTERN, title: 'name', examples: ['meter-4'] })),
    host: Text({
      description: 'Name or address.',
      pattern: '^[^\\s/]+$',
      title: 'host name or address',
      examples: ['10.0.0.7'],
    }),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535, description: 'Default 5683' })),
  },
  exact,
);

const target = {
  path: Text({
    description: 'Path and queries, as behind the address in a URI.',
    title: 'path',
    examples: ['sensors/temperature', 'log?last=10'],
    maxLength: 1024,
  }),
  accept: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 65535,
      description: 'Content format that is wanted, such as 50 for application/json. Default: whatever it has',
    }),
  ),
};

/** Devices that POST and PUT over CoAP, or that are read. */
export const CoapSchema = Type.Object(
  {
    devices: Type.Optional(Type.Array(Device, { minItems: 1, title: 'list of devices' })),
    poll: Type.Optional(
      Type.Array(Type.Object({ ...target, every: Duration('Time from one GET to the next.') }, exact), {
        minItems: 1,
        title: 'list of polls',
      }),
    ),
    observe: Type.Optional(
      Type.Array(Type.Object(target, exact), {
        minItems: 1,
        title: 'list of paths',
        description: 'Paths whose changes the devices tell by themselves (RFC 7641).',
      }),
    ),
    inFlight: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 64,
        description: 'Most requests under way at one device. Default 1',
      }),
    ),
    reconnect: Type.Optional(Reconnect),
    host: Host,
    port: Port('Default 5683'),
    withoutDtls: Type.Optional(
      Type.Boolean({
        description:
          'There is no DTLS here: whoever reaches the address can send frames and read them. true: listen all the same on an address that is neither of this machine alone nor private. Default false',
      }),
    ),
    maxBody: Type.Optional(
      Size('Largest body or representation, put together from its blocks. Default 64KiB'),
    ),
    timeout: Type.Optional(
      Duration(
        'How long a request waits to be confirmed; with `devices`, how long an answer may take. Default 30s; 20s',
      ),
    ),
    rate: Type.Optional(
      Type.Integer({
        minimum: 1,
        description:
          'Most requests a second of one address. Default: `peerShare` of `totalRate`, and without that no limit',
      }),
    ),
    totalRate: TotalRate('most requests a second of the source'),
    memory: Type.Optional(Size('Most memory for bodies that have not come whole. Default 8MiB')),
    bodies: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65_536,
        description: 'Most bodies that have not come whole. Default 256',
      }),
    ),
    observers: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65_536, description: 'Most observations. Default 1024' }),
    ),
    peerShare: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 1,
        description:
          'What one address may have of `memory`, `bodies`, `observers` and `totalRate`; 1 where all devices come through one router. Default 0.25',
      }),
    ),
  },
  {
    ...exact,
    description:
      'CoAP on UDP, without DTLS: a server; or with `devices`, what is read of them by `poll` and `observe`.',
  },
);

export type CoapInput = Static<typeof CoapSchema>;
