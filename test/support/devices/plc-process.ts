import { CountingPlc } from './gateway-peers.js';

/** A counting device in a process of its own, at every address of where it runs. */
const { port } = await CountingPlc.start(0, '0.0.0.0');
process.stdout.write(`port ${port}\n`);
