/** The gateway's CoAP server without what is behind it: what it takes is delivered at the end of the turn. */

import { CoapSource } from '../../../host/sources/coap/coap-source.js';
import type { Ingress } from '../../../host/sources/source.js';

let sequence = 0;
let isScheduled = false;

const ingress: Ingress = {
  topic: () => 0,
  properties: () => 0,
  topicOf: () => 0,
  propertiesOf: () => 0,
  push: () => {
    if (!isScheduled) {
      isScheduled = true;
      setImmediate(() => {
        isScheduled = false;
        source.delivered(sequence);
      });
    }
    return ++sequence;
  },
  hasRoom: () => true,
  skipped: () => {},
  connected: () => {},
  failed: ({ message }) => process.stderr.write(`${message}\n`),
};

const source = new CoapSource('field', { host: '127.0.0.1', port: 0 }, ingress);
await source.start();
process.on('disconnect', () => process.exit(0));
process.on('message', () => process.send!(process.memoryUsage.rss()));
process.send!(source.port);
