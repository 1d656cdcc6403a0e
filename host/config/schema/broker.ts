import { type Static, Type } from 'typebox';
import { NAME_PATTERN, Size, Text } from './parts.js';
import { Connections, ConnectionsPerPeer, Host, Port, ServerTls, TokenText, TotalRate } from './serve.js';

/** The embedded broker. */
export const BrokerSchema = Type.Object(
  {
    host: Host,
    port: Port('Default 1883, with tls 8883'),
    tls: Type.Optional(ServerTls),
    users: Type.Optional(
      Type.Record(Type.String({ pattern: NAME_PATTERN }), Text({ title: 'password' }), {
        additionalProperties: false,
        minProperties: 1,
        description: 'Passwords by user name. Better from files or the environment.',
      }),
    ),
    token: Type.Optional(TokenText('Good as password of any user name, and without one.')),
    connections: Connections('1024'),
    connectionsPerPeer: ConnectionsPerPeer('256'),
    rate: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'Most messages a second of one client; more wait. Default: no limit',
      }),
    ),
    totalRate: TotalRate('most messages a second of the broker; more wait'),
    maxPacket: Type.Optional(Size('Largest packet. Default 1MiB')),
    memory: Type.Optional(
      Size(
        'Most memory, over all connections, for packets that have not come whole; one address may have the share of it that it may have of the connections. Default 64MiB',
      ),
    ),
    kept: Type.Optional(
      Size(
        'Most memory for what is kept: retained messages, messages for clients that are away, those at QoS 2 until their PUBREL, subscriptions and wills; one client may have a quarter, another one may wait for it, and what it retains is not counted as its own; the last quarter is for sources of the gateway, and half of it for small wills, 8 KiB each at the defaults. A client with more at QoS 2 is cut off. Default 64MiB',
      ),
    ),
    subscriptions: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'Most subscriptions of one client; more are answered with "failure". Default 1024',
      }),
    ),
  },
  {
    additionalProperties: false,
    description:
      'The embedded MQTT broker (3.1.1, in memory): for devices that have none; without `sinks` it is there anyway, and the sink.',
  },
);

export type BrokerInput = Static<typeof BrokerSchema>;
