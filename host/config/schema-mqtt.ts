import { type Static, Type } from 'typebox';
import { Duration, Reconnect, Size, Text } from './schema-parts.js';

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

/** An MQTT broker as sink. */
export const MqttSinkSchema = Type.Object(
  {
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
    qos: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1,
        description: 'Highest quality of service that is used. Default 1',
      }),
    ),
    clientId: Type.Optional(Text({ maxLength: 128 })),
    username: Type.Optional(Text()),
    password: Type.Optional(Text({ description: 'Better from a file or the environment.' })),
    keepAlive: Type.Optional(Duration('Pause after which a ping is sent.')),
    prefix: Type.Optional(Text({ description: 'Put before every topic.' })),
    will: Type.Optional(Will),
    tls: Type.Optional(Tls),
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
    reconnect: Type.Optional(Reconnect),
  },
  { ...exact, description: 'MQTT 3.1.1 or 5.0.' },
);

export type MqttSinkInput = Static<typeof MqttSinkSchema>;
