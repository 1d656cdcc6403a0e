/** What one writes in an afternoon: mqtt.js, convert, publish. Arguments: port, name. */
import { connectAsync } from 'mqtt';
import { convert } from './convert.js';

const [port, name] = process.argv.slice(2);
const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 4 });
client.on('message', (topic, payload) => {
  client.publish(`out/${topic}`, convert(payload, topic), { qos: 0 });
});
await client.subscribeAsync(`in/${name}/#`, { qos: 0 });
process.stdout.write('ready\n');
