import { type Static, Type } from 'typebox';
import { Duration, Size } from './schema-parts.js';
import { Host, Port } from './schema-serve.js';

/** Devices that POST and PUT over CoAP. */
export const CoapSchema = Type.Object(
  {
    host: Host,
    port: Port('Default 5683'),
    withoutDtls: Type.Optional(
      Type.Boolean({
        description:
          'There is no DTLS here: whoever reaches the address can send frames and read them. true: listen all the same on an address that is neither of this machine alone nor private. Default false',
      }),
    ),
    maxBody: Type.Optional(Size('Largest body, put together from its blocks. Default 64KiB')),
    timeout: Type.Optional(Duration('How long a request waits to be confirmed. Default 30s')),
    rate: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Most requests a second of one address. Default: no limit' }),
    ),
    memory: Type.Optional(Size('Most memory for bodies that have not come whole. Default 8MiB')),
  },
  { additionalProperties: false, description: 'CoAP server on UDP, without DTLS.' },
);

export type CoapInput = Static<typeof CoapSchema>;
