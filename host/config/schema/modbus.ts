import { type Static, Type } from 'typebox';
import { RANGE_PATTERN, UNITS_PATTERN } from '../units.js';
import { Duration, NAME_PATTERN, Reconnect, Text } from './parts.js';
import { TotalRate } from './serve.js';

const exact = { additionalProperties: false } as const;

function UnitList(description: string) {
  return Type.Union(
    [
      Type.Integer({ minimum: 0, maximum: 255, title: 'unit id' }),
      Type.String({ pattern: UNITS_PATTERN, title: 'list of unit ids', examples: ['1-4', '1,3,5-7'] }),
    ],
    { description },
  );
}

const Units = Type.Optional(UnitList('Unit ids behind this address. Default 1'));

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
    framing: Type.Optional(
      Type.Enum(['tcp', 'rtu'], {
        description: 'rtu: frames of a serial line in TCP, as serial device servers send them. Default tcp',
      }),
    ),
    units: Units,
  },
  exact,
);

const Serial = Type.Object(
  {
    path: Text({ description: 'Of the port.', examples: ['/dev/ttyUSB0', 'COM3'] }),
    baud: Type.Optional(Type.Integer({ minimum: 300, maximum: 4_000_000, description: 'Default 19200' })),
    parity: Type.Optional(Type.Enum(['none', 'even', 'odd'], { description: 'Default even' })),
    dataBits: Type.Optional(Type.Enum([7, 8], { description: 'Default 8' })),
    stopBits: Type.Optional(Type.Enum([1, 2], { description: 'Default 1; 2 where there is no parity' })),
  },
  { ...exact, description: 'A serial line with RTU frames; all `units` are on it.' },
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

const Listen = Type.Object(
  {
    host: Type.Optional(Text({ description: 'Address of this machine to listen on. Default 127.0.0.1' })),
    port: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 65535, description: 'Default 502; 0: any free one' }),
    ),
    units: Type.Optional(UnitList('Unit ids that are taken. Default: all')),
    coils: Registers('Coils that may be written (functions 5 and 15). Default: all'),
    holding: Registers('Registers that may be written (functions 6 and 16). Default: all'),
    timeout: Type.Optional(
      Duration('How long a write waits to be confirmed; then the device gets exception 6. Default 500ms'),
    ),
    idle: Type.Optional(Duration('A connection that is silent for this long is closed. Default 10m')),
    connections: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1024, description: 'Connections at once. Default 64' }),
    ),
    connectionsPerPeer: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1024, description: 'Of one address. Default: all of them' }),
    ),
    rate: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'Most writes a second of one address; for more it gets exception 6. Default: no limit',
      }),
    ),
    totalRate: TotalRate('most writes a second of the source'),
  },
  { ...exact, description: 'Modbus TCP server: devices connect and write. Nothing is polled.' },
);

/** Modbus: devices on TCP, or one serial line, that are all polled for the same addresses; or devices that write. */
export const ModbusSchema = Type.Object(
  {
    devices: Type.Optional(Type.Array(Device, { minItems: 1, title: 'list of devices' })),
    serial: Type.Optional(Serial),
    listen: Type.Optional(Listen),
    units: Units,
    poll: Type.Optional(Type.Array(Poll, { minItems: 1, title: 'list of polls' })),
    timeout: Type.Optional(Duration('Longest time to wait for an answer.')),
    inFlight: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 256, description: 'Most requests under way at one device.' }),
    ),
    gap: Type.Optional(
      Duration('RTU: silence between an answer and the next request. Default what the line needs'),
    ),
    reconnect: Type.Optional(Reconnect),
  },
  {
    ...exact,
    description:
      'Modbus: `devices` on TCP or one `serial` line, with `poll`; or `listen`, for devices that write.',
  },
);

export type ModbusInput = Static<typeof ModbusSchema>;
