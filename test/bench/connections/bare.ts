/** A server on node:net that takes frames behind a length and answers each with its number. Argument: port. */
import { createServer } from 'node:net';
import { PrefixScanner } from '../ends/prefix-scanner.js';

let frames = 0;
const server = createServer({ noDelay: true }, socket => {
  const scanner = new PrefixScanner();
  socket.on('error', () => socket.destroy());
  socket.on('data', chunk =>
    scanner.push(chunk, () => {
      const answer = Buffer.allocUnsafe(8);
      answer.writeUInt32BE(4, 0);
      answer.writeUInt32BE(++frames, 4);
      socket.write(answer);
    }),
  );
});
server.listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 }, () =>
  process.stdout.write('ready\n'),
);
