import { type Static, Type } from 'typebox';
import { Duration, NAME_PATTERN, Reconnect, Text } from './schema-parts.js';
import { RANGE_PATTERN, UNITS_PATTERN } from './units.js';

const exact = { additionalProperties: false } as const;

const Device = Type.Object(
  {
    name: Type.Optional(Text({ pattern: NAME_PATTERN, title: 'name', examples: ['press-4'] })),
    host: Text({
      description: 'Name or address.',
      pattern: '^[^\\s/]+$',
      title: 'host name or address',
      examples: ['10.0.0.7'],
    }),
    port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535, description: 'Default 502' })),
    units: Type.Optional(
      Type.Union(
        [
          Type.Integer({ minimum: 0, maximum: 255, title: 'unit id' }),
          Type.String({ pattern: UNITS_PATTERN, title: 'list of unit ids', examples: ['1-4', '1,3,5-7'] }),
        ],
        { description: 'Unit ids behind this address. Default 1' },
      ),
    ),
  },
  exact,
);

function Registers(description: string) {
  return Type.Optional(
    Type.Union(
      [
        Type.Integer({ minimum: 0, maximum: 65535, title: 'address' }),
        Type.String({ pattern: RANGE_PATTERN, title: 'range of addresses', examples: ['0-11'] }),
      ],
      { description },
    ),
  );
}

const Poll = Type.Object(
  {
    coils: Registers('Function 1, first to last address, from 0.'),
    discrete: Registers('Function 2.'),
    holding: Registers('Function 3.'),
    input: Registers('Function 4.'),
    every: Duration('Time from one poll to the next.'),
  },
  {
    ...exact,
    oneOf: [
      { required: ['coils'] },
      { required: ['discrete'] },
      { required: ['holding'] },
      { required: ['input'] },
    ],
  },
);

/** Modbus TCP: devices that are all polled for the same addresses. */
export const ModbusSchema = Type.Object(
  {
    devices: Type.Array(Device, { minItems: 1, title: 'list of devices' }),
    poll: Type.Array(Poll, { minItems: 1, title: 'list of polls' }),
    timeout: Type.Optional(Duration('Longest time to wait for an answer.')),
    inFlight: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 256, description: 'Most requests under way at one device.' }),
    ),
    reconnect: Type.Optional(Reconnect),
  },
  { ...exact, description: 'Modbus TCP.' },
);

export type ModbusInput = Static<typeof ModbusSchema>;
