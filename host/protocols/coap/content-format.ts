/** Source: IANA, CoAP Content-Formats, those that devices use. */
const FORMATS: Readonly<Record<number, string>> = {
  0: 'text/plain; charset=utf-8',
  40: 'application/link-format',
  41: 'application/xml',
  42: 'application/octet-stream',
  47: 'application/exi',
  50: 'application/json',
  60: 'application/cbor',
  110: 'application/senml+json',
  112: 'application/senml+cbor',
};

export const LINK_FORMAT = 40;

/** The media type; of a number that is not known here `coap/NUMBER`. */
export function mediaType(format: number): string {
  return FORMATS[format] ?? `coap/${format}`;
}
