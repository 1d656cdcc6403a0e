import { type Static, Type } from 'typebox';
import { Duration, Size } from './parts.js';
import { Connections, ConnectionsPerPeer, Host, Port, ServerTls, TokenText, TotalRate } from './serve.js';

/** Gateway boxes at PLCs that connect and send frames: host/protocols/tunnel.md. */
export const TunnelSchema = Type.Object(
  {
    host: Host,
    port: Port('Default 9000'),
    tls: Type.Optional(ServerTls),
    token: Type.Optional(TokenText('What every client has to say. Better from a file or the environment.')),
    window: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65_535,
        description: 'Most frames of a client that are not acknowledged. Default 1024',
      }),
    ),
    maxFrame: Type.Optional(Size('Largest frame. Default 256KiB')),
    keepAlive: Type.Optional(
      Duration(
        'How often a client without data says that it is there; silent for 2.5 times that, it is cut off. Default 30s',
      ),
    ),
    connections: Connections('1024'),
    connectionsPerPeer: ConnectionsPerPeer('256'),
    rate: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'Most frames a second of one client; more wait. Default: no limit',
      }),
    ),
    totalRate: TotalRate('most frames a second of the source; more wait'),
    memory: Type.Optional(
      Size(
        'Most memory, over all connections, for frames that have not come whole; one address may have the share of it that it may have of the connections. Default 64MiB',
      ),
    ),
  },
  { additionalProperties: false, description: 'Frames over TCP or TLS, each acknowledged when it is safe.' },
);

export type TunnelInput = Static<typeof TunnelSchema>;
