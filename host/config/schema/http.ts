import { type Static, Type } from 'typebox';
import { Duration, Size, Text } from './parts.js';
import { Connections, ConnectionsPerPeer, Port, ServerTls, TokenText, TotalRate } from './serve.js';

/** Whoever sends frames with `POST /ingest/<source>`. */
export const HttpSchema = Type.Object(
  {
    port: Port('Left out: requests come to the admin server, and `token` is needed'),
    host: Type.Optional(Text({ description: 'With `port`: address of this machine. Default 127.0.0.1' })),
    tls: Type.Optional(ServerTls),
    token: Type.Optional(
      TokenText('Bearer token of every request; it is good for this source and nothing else.'),
    ),
    maxBody: Type.Optional(Size('Largest body, after it was unpacked. Default 1MiB')),
    timeout: Type.Optional(
      Duration(
        'How long a request may take to come, and then to be confirmed. Default 30s. Without `port` only the second: the admin server gives a request 2 minutes to come',
      ),
    ),
    connections: Connections('1024'),
    connectionsPerPeer: ConnectionsPerPeer('256'),
    rate: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Most requests a second of one address. Default: no limit' }),
    ),
    totalRate: TotalRate('most requests a second of the source'),
    memory: Type.Optional(
      Size(
        'Most memory for requests in hand: bodies, and 4KiB for each until it is answered; one address may have the share of it that it may have of the connections. Default 64MiB',
      ),
    ),
  },
  { additionalProperties: false, description: 'HTTP ingest: 202 when the frames are safe.' },
);

export type HttpInput = Static<typeof HttpSchema>;
