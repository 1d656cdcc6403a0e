import { type Static, Type } from 'typebox';
import { Duration, Reconnect, Size, Text } from './parts.js';

const exact = { additionalProperties: false } as const;

const Qos = Type.Integer({ minimum: 0, maximum: 1, title: 'quality of service' });

const Will = Type.Object(
  {
    topic: Text(),
    payload: Type.Optional(Type.String()),
    qos: Type.Optional(Qos),
    retain: Type.Optional(Type.Boolean()),
  },
  { ...exact, description: 'Published by the broker when the gateway is gone.' },
);

const Tls = Type.Object(
  {
    ca: Type.Optional(Text({ description: 'Certificates that are trusted: a PEM file, or its text.' })),
    cert: Type.Optional(Text({ description: 'Our certificate: a PEM file, or its text.' })),
    key: Type.Optional(Text({ description: 'Our private key: a PEM file, or its text.' })),
    serverName: Type.Optional(Text({ description: 'Name to expect in the certificate. Default: the host.' })),
  },
  { ...exact, description: 'For mqtts://.' },
);

/** What both ends of the gateway say about a connection to a broker. */
const connection = {
  url: Text({
    pattern: '^mqtts?://',
    title: 'broker address',
    examples: ['mqtt://127.0.0.1:1883', 'mqtts://broker'],
  }),
  version: Type.Optional(
    Type.Enum([4, 5], {
      description: '4: MQTT 3.1.1; 5: MQTT 5.0, or 3.1.1 if the broker knows no other. Default 5',
    }),
  ),
  username: Type.Optional(Text()),
  password: Type.Optional(Text({ description: 'Better from a file or the environment.' })),
  keepAlive: Type.Optional(Duration('Pause after which a ping is sent.')),
  will: Type.Optional(Will),
  tls: Type.Optional(Tls),
  reconnect: Type.Optional(Reconnect),
};

/** An MQTT broker as sink. */
export const MqttSinkSchema = Type.Object(
  {
    ...connection,
    qos: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1,
        description: 'Highest quality of service that is used. Default 1',
      }),
    ),
    clientId: Type.Optional(Text({ maxLength: 128 })),
    prefix: Type.Optional(Text({ description: 'Put before every topic.' })),
    window: Type.Optional(
      Type.Object(
        {
          messages: Type.Optional(
            Type.Integer({ minimum: 1, maximum: 65535, description: 'Most messages not yet confirmed.' }),
          ),
          bytes: Type.Optional(Size('Most bytes not yet confirmed.')),
        },
        exact,
      ),
    ),
  },
  { ...exact, description: 'MQTT 3.1.1 or 5.0.' },
);

/** An MQTT broker as source. */
export const MqttSourceSchema = Type.Object(
  {
    ...connection,
    topics: Type.Array(Text({ title: 'topic filter', examples: ['in/#', 'line/+/state'] }), {
      minItems: 1,
      uniqueItems: true,
      title: 'list of topic filters',
      description: 'What is subscribed to; + and # as usual.',
    }),
    qos: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2,
        description:
          'Quality of service of the subscriptions. From 1 on a message is acknowledged when every sink has confirmed what became of it; at 2 a lost connection brings none twice. Default 1',
      }),
    ),
    clientId: Type.Optional(
      Text({
        maxLength: 128,
        description: 'Given: the broker keeps the session, and what comes while the gateway is away.',
      }),
    ),
    sessionExpiry: Type.Optional(
      Duration('How long a 5.0 broker keeps the session of a clientId. Default 24h'),
    ),
    window: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65535,
        description: 'Most messages that are not yet acknowledged. Default 1024',
      }),
    ),
    maxMessage: Type.Optional(
      Size('Largest message that is taken; larger ones are refused, and said. Default and most: 31MiB'),
    ),
  },
  { ...exact, description: 'MQTT 3.1.1 or 5.0: what is published at a broker.' },
);

export type MqttSinkInput = Static<typeof MqttSinkSchema>;
export type MqttSourceInput = Static<typeof MqttSourceSchema>;
