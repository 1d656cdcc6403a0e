/** The usual program: npm coap's server, which answers a POST with 2.04. */
import { createServer } from 'coap';

let received = 0;
const server = createServer((request, response) => {
  received += request.payload.length;
  response.code = '2.04';
  response.end();
});
server.on('error', error => process.stderr.write(`${String(error)}\n`));
server.listen(0, '127.0.0.1', () => {
  // It keeps its socket to itself, and the port that the system gave it with it.
  const { _sock: socket } = server;
  if (socket === null || !('address' in socket)) throw new Error('npm coap has no socket');
  process.send!(socket.address().port);
});
process.on('disconnect', () => process.exit(received === 0 ? 1 : 0));
process.on('message', () => process.send!(process.memoryUsage.rss()));
