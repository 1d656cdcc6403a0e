/** What one writes in an afternoon: node:net, convert, publish with mqtt.js. Arguments: port of the broker, own port. */
import { createServer } from 'node:net';
import { connectAsync } from 'mqtt';
import { convert } from '../gateway/convert.js';

const [broker, port] = process.argv.slice(2);
const client = await connectAsync(`mqtt://127.0.0.1:${broker}`, { protocolVersion: 4 });

const server = createServer({ noDelay: true }, socket => {
  let rest = Buffer.alloc(0);
  socket.on('data', chunk => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (at + 4 <= rest.length) {
      const end = at + 4 + rest.readUInt32BE(at);
      if (end > rest.length) break;
      const body = at + 6 + rest.readUInt16BE(at + 4);
      const topic = rest.toString('utf8', at + 6, body);
      client.publish(`out/${topic}`, convert(rest.subarray(body, end), topic), { qos: 0 });
      at = end;
    }
    rest = rest.subarray(at);
  });
});
server.listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
