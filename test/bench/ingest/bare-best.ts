/**
 * The best that we can write by hand: the tunnel with our own codecs, digits written in place, all answers of a read in
 * one write, one acknowledgement for each. No plugin, no sandbox, no counters. Arguments: port of the broker, own port.
 */
import { connect, createServer } from 'node:net';
import { MEASURE, PublishEncoder } from '../../../host/protocols/mqtt-wire/publish.js';
import { encodeConnect } from '../../../host/protocols/mqtt-wire/session.js';
import { encodeBare, encodeWelcome } from '../../../host/protocols/tunnel/encode.js';
import { FrameReader } from '../../../host/protocols/tunnel/frame-reader.js';
import { DataFrame } from '../../../host/protocols/tunnel/messages.js';
import { TYPE } from '../../../host/protocols/tunnel/wire.js';
import { JsonWriter } from '../gateway/json-writer.js';

const OUT_BYTES = 1 << 20;
const MOST = 1 << 18;

const [broker, port] = process.argv.slice(2);
const writer = new JsonWriter();
const encoder = new PublishEncoder(4, Buffer.from('out/'));
const data = new DataFrame();
let out = Buffer.allocUnsafeSlow(OUT_BYTES);
let end = 0;
const where = {
  bytes: new Uint8Array(0) as Uint8Array,
  topicStart: 0,
  topicEnd: 0,
  payloadStart: 0,
  payloadEnd: 0,
};

const sink = connect({ host: '127.0.0.1', port: Number(broker), noDelay: true });
sink.on('data', () => {});
sink.once('connect', () => {
  sink.write(
    encodeConnect({ version: 4, clientId: 'best-tunnel', clean: true, keepAlive: 0, sessionExpiry: 0 }),
  );
  server.listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
});

const server = createServer({ noDelay: true }, socket => {
  const reader = new FrameReader(MOST);
  socket.on('error', () => socket.destroy());
  socket.on('data', chunk => {
    let last = 0;
    reader.feed(chunk);
    while (reader.next()) {
      if (reader.type === TYPE.data) {
        take(reader);
        last = reader.sequence;
      } else if (reader.type === TYPE.hello) {
        socket.write(encodeWelcome({ taken: 0, window: 8192, maxFrame: MOST, keepAliveMs: 30_000 }));
      }
    }
    flush();
    if (last > 0) socket.write(encodeBare(TYPE.ack, last));
  });
});

function take(reader: FrameReader): void {
  data.read(reader);
  where.bytes = reader.bytes;
  where.topicStart = data.topicStart;
  where.topicEnd = data.topicEnd;
  where.payloadStart = data.payloadStart;
  where.payloadEnd = data.payloadEnd;
  if (!writer.convert(where)) throw new Error('a reply that is none');
  if (encoder.measure(writer, 0) !== MEASURE.ok) throw new Error('a topic that is none');
  if (end + encoder.size > out.length) flush();
  encoder.write(writer, out, end, 0);
  end += encoder.size;
}

function flush(): void {
  if (end === 0) return;
  sink.write(out.subarray(0, end));
  end = 0;
  // What the system did not take at once is still read from there.
  if (sink.writableLength > 0) out = Buffer.allocUnsafeSlow(OUT_BYTES);
}
