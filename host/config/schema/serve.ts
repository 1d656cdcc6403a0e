import { Type } from 'typebox';
import { Text } from './parts.js';

const exact = { additionalProperties: false } as const;

/** Certificates of a source that others connect to. */
export const ServerTls = Type.Object(
  {
    cert: Text({ description: 'Our certificate, with those that vouch for it: a PEM file.' }),
    key: Text({ description: 'Its private key: a PEM file.' }),
    ca: Type.Optional(
      Text({ description: 'PEM file. Given: only clients with a certificate of one of these are let in.' }),
    ),
  },
  { ...exact, description: 'Files are read again when they change; connections stay.' },
);

/** Those of RFC 6750, 2.1, and long enough not to be guessed. */
export const TokenText = (description: string) =>
  Text({
    pattern: '^[A-Za-z0-9._~+/=-]{16,255}$',
    title: 'token of 16 to 255 letters, digits and . _ ~ + / = -',
    examples: ['k3J9_xQ7mB2vN8pR'],
    description,
  });

export const Port = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: 65535, description: `${description}; 0: any free one` }));

export const Host = Type.Optional(
  Text({ description: 'Address of this machine to listen on. Default 127.0.0.1' }),
);

export const Connections = (most: string) =>
  Type.Optional(
    Type.Integer({ minimum: 1, maximum: 65_535, description: `Connections at once. Default ${most}` }),
  );
export const TotalRate = (what: string) =>
  Type.Optional(
    Type.Integer({ minimum: 1, description: `The same of all together: ${what}. Default: no limit` }),
  );
export const ConnectionsPerPeer = (most: string) =>
  Type.Optional(
    Type.Integer({ minimum: 1, maximum: 65_535, description: `Of one address. Default ${most}` }),
  );
