import { type Static, Type } from 'typebox';
import { BreakerSchema, ProbationSchema, WhenOpenSchema } from './breaker.js';
import { BrokerSchema } from './broker.js';
import { CoapSchema } from './coap.js';
import { HttpSchema } from './http.js';
import { ModbusSchema } from './modbus.js';
import { MqttSinkSchema, MqttSourceSchema } from './mqtt.js';
import { Duration, NAME_PATTERN, Size, Text } from './parts.js';
import { GrantsSchema, PolicySchema, SimdSchema } from './policy.js';
import { ServerTls } from './serve.js';
import { CatchUpSchema, SinkSpoolSchema, WhenFullSchema } from './spool.js';
import { TunnelSchema } from './tunnel.js';
import type { SchemaNode } from './walk.js';

const exact = { additionalProperties: false } as const;

const Plugins = Type.Object(
  {
    dir: Type.Optional(Text({ description: 'Folder that is watched for .wasm files. Default ./plugins' })),
    deadline: Type.Optional(Duration('Longest time of one call into a plugin. Default 100ms')),
    startDeadline: Type.Optional(Duration('Longest time of the first call after a start. Default 2s')),
    memory: Type.Optional(Size('Most linear memory of one plugin. Default 16MiB')),
    simd: Type.Optional(SimdSchema),
    grants: Type.Optional(GrantsSchema),
    policy: Type.Optional(
      Type.Union([Text({ title: 'file name', examples: ['./policy.yaml'] }), PolicySchema], {
        description:
          'All of the policy, here or in a file of its own, which is watched. Then simd and grants stand there too.',
      }),
    ),
    signatures: Type.Optional(
      Type.Enum(['auto', 'require', 'warn', 'off'], {
        description:
          'Signatures of plugins. require: no plugin without one of a trusted key; warn: say it only; off: do not look; auto: require once a trusted key exists, else warn. Default auto',
      }),
    ),
    keys: Type.Optional(Text({ description: 'Folder of trusted public keys. Default ./keys' })),
    downgrade: Type.Optional(
      Type.Boolean({
        description: 'Files with a lower version than the one that served last are taken. Default false',
      }),
    ),
    sandboxes: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1024, description: 'Most sandbox threads. Default 16' }),
    ),
    snapshotEvery: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1_000_000,
        description:
          'Batches between two snapshots of what a plugin remembers, for plugins that export it. A plugin that fails goes on from the last one. 0: none. Default 100',
      }),
    ),
    breaker: Type.Optional(BreakerSchema),
    probation: Type.Optional(ProbationSchema),
  },
  { ...exact, description: 'What every plugin gets.' },
);

const Source = Type.Object(
  {
    modbus: Type.Optional(ModbusSchema),
    mqtt: Type.Optional(MqttSourceSchema),
    tunnel: Type.Optional(TunnelSchema),
    http: Type.Optional(HttpSchema),
    coap: Type.Optional(CoapSchema),
    staleAfter: Type.Optional(
      Type.Union([Duration('Such as 30s'), Type.Literal('never', { title: 'the word never' })], {
        description:
          'A source that brings no data for this long is stale: told in /v1/sources, in an event, a metric and the log; an MQTT connection for which it is set is then made anew. Default: ten times the longest `every` of what is polled and at least 10s, else 10m, of sources that others connect to from the first frame on',
      }),
    ),
  },
  { ...exact, minProperties: 1, description: 'One southbound endpoint, of one protocol.' },
);

const Sink = Type.Object(
  { mqtt: Type.Optional(MqttSinkSchema), spool: Type.Optional(SinkSpoolSchema) },
  { ...exact, minProperties: 1, description: 'One northbound endpoint, of one protocol.' },
);

const Name = Text({ pattern: NAME_PATTERN, maxLength: 64, title: 'name', examples: ['line1', 'plant-a'] });
const NameList = Type.Array(Name, { minItems: 1, uniqueItems: true, title: 'list of names' });

const Step = Type.Union([
  Name,
  Type.Object(
    {
      plugin: Name,
      config: Type.Optional(Type.Any({ description: 'Given to the plugin as JSON.' })),
      deadline: Type.Optional(Duration('Longest time of one call, for this plugin here.')),
    },
    { ...exact, title: 'map with plugin, config, deadline' },
  ),
]);

const Filter = Text({ title: 'topic filter', examples: ['sensors/+/raw', 'line1/#'] });

const Route = Type.Object(
  {
    name: Type.Optional(Name),
    from: Type.Union([Name, NameList], { description: 'Names of sources.' }),
    filter: Type.Optional(
      Type.Union(
        [Filter, Type.Array(Filter, { minItems: 1, uniqueItems: true, title: 'list of topic filters' })],
        {
          description:
            'Only frames whose topic one of these fits; + and # as in MQTT. What fits several routes goes to each of them, what fits none is left out, counted and said. Default: all frames',
        },
      ),
    ),
    through: Type.Array(Step, {
      minItems: 1,
      title: 'list of plugins',
      description: 'Plugins, from left to right.',
    }),
    to: Type.Optional(Type.Union([Name, NameList], { description: 'Names of sinks. Default: all of them.' })),
    whenOpen: Type.Optional(WhenOpenSchema),
    catchUp: Type.Optional(CatchUpSchema),
    whenFull: Type.Optional(WhenFullSchema),
  },
  exact,
);

const named = { additionalProperties: false, minProperties: 1 } as const;

/** What the user may write; published as sluice.schema.json. */
export const ConfigSchema = Type.Object(
  {
    plugins: Type.Optional(Plugins),
    sources: Type.Record(Type.String({ pattern: NAME_PATTERN }), Source, {
      ...named,
      description: 'Southbound endpoints by name.',
    }),
    sinks: Type.Optional(
      Type.Record(Type.String({ pattern: NAME_PATTERN }), Sink, {
        ...named,
        description: 'Northbound endpoints by name. Left out: an embedded MQTT broker is started.',
      }),
    ),
    broker: Type.Optional(BrokerSchema),
    routes: Type.Optional(
      Type.Array(Route, {
        title: 'list of routes',
        description: 'Left out: plugins run where their `accepts` fits.',
      }),
    ),
    data: Type.Optional(
      Type.Object(
        {
          dir: Type.Optional(Text({ description: 'Folder for durable data. Default ./data' })),
          max: Type.Optional(Size('Most space on disk. Default 1GiB')),
        },
        exact,
      ),
    ),
    admin: Type.Optional(
      Type.Object(
        {
          host: Type.Optional(Text({ description: 'Address to listen on. Default 127.0.0.1' })),
          port: Type.Optional(
            Type.Integer({ minimum: 0, maximum: 65535, description: 'Default 8080; 0: any free one' }),
          ),
          token: Type.Optional(
            Text({
              pattern: '^[A-Za-z0-9._~+/=-]{16,256}$',
              title: 'token of 16 to 256 letters, digits and . _ ~ + / = -',
              examples: ['k3J9_xQ7mB2vN8pR'],
              description: 'Bearer token for /v1. Default: made at random, in the data folder',
            }),
          ),
          tls: Type.Optional(ServerTls),
          uploads: Type.Optional(
            Type.Boolean({ description: 'Plugins may be uploaded with PUT /v1/plugins/NAME. Default false' }),
          ),
          maxUpload: Type.Optional(
            Size('Largest plugin that may be uploaded. Default 32MiB, which is the most'),
          ),
        },
        exact,
      ),
    ),
  },
  { ...exact, title: 'Sluice configuration' },
);

/** What the user may say. What the code may assume is `Config`. */
export type ConfigInput = Static<typeof ConfigSchema>;

/**
 * Words with a fixed place in the configuration that this version does not serve yet. They are refused by name, never
 * taken and ignored: who asks for something must not believe that it is there.
 */
export const LATER: Readonly<Record<'source' | 'sink', readonly string[]>> = {
  source: ['driver'],
  sink: ['http', 'influx', 'opcua', 'file'],
};

/** The schema as plain data, to walk through. */
export const configNode = JSON.parse(JSON.stringify(ConfigSchema)) as SchemaNode;

/** The published document. */
export function schemaText(): string {
  const document = { $schema: 'https://json-schema.org/draft/2020-12/schema', ...configNode };
  return `${JSON.stringify(document, null, 2)}\n`;
}
