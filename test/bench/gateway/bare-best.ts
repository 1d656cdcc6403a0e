/**
 * The best that we can write by hand: our own codecs on one socket, digits written in place, all answers of a read in
 * one write, and the patience of the gateway's own source. No plugin, no sandbox, no counters. Arguments: port, name.
 */
import { connect } from 'node:net';
import { MEASURE, PublishEncoder } from '../../../host/protocols/mqtt-wire/publish.js';
import { encodeConnect, encodeSubscribe } from '../../../host/protocols/mqtt-wire/session.js';
import { type Publication, SubscriberParser } from '../../../host/protocols/mqtt-wire/subscriber.js';
import { Rest } from '../../../host/sources/mqtt/rest.js';
import { JsonWriter } from './json-writer.js';

const READ_BYTES = 64 << 10;
const OUT_BYTES = 1 << 20;
/** Only a read of less than this is followed by a rest. */
const LITTLE = READ_BYTES / 2;

const [port, name] = process.argv.slice(2);
const writer = new JsonWriter();
const encoder = new PublishEncoder(4, Buffer.from('out/'));
const buffer = Buffer.alloc(READ_BYTES);
let out = Buffer.allocUnsafeSlow(OUT_BYTES);
let end = 0;
const rest = new Rest();

const events = {
  connack: () => socket.write(encodeSubscribe(4, 1, [`in/${name}/#`], 0)),
  pingresp: () => {},
  disconnect: () => {},
  suback: () => process.stdout.write('ready\n'),
  pubrel: () => {},
  publish: (message: Publication) => take(message),
};
const parser = new SubscriberParser(4, 1 << 20, events);

const socket = connect({
  host: '127.0.0.1',
  port: Number(port),
  noDelay: true,
  onread: {
    buffer,
    callback: length => {
      read(length);
      return true;
    },
  },
});
socket.once('connect', () =>
  socket.write(encodeConnect({ version: 4, clientId: 'best', clean: true, keepAlive: 0, sessionExpiry: 0 })),
);

function read(length: number): void {
  parser.push(buffer.subarray(0, length));
  flush();
  const ms = rest.next(Date.now());
  if (ms === 0 || length >= LITTLE) return;
  socket.pause();
  setTimeout(() => socket.resume(), ms);
}

function take(message: Publication): boolean {
  rest.took();
  if (!writer.convert(message)) throw new Error('a reply that is none');
  if (encoder.measure(writer, 0) !== MEASURE.ok) throw new Error('a topic that is none');
  if (end + encoder.size > out.length) flush();
  encoder.write(writer, out, end, 0);
  end += encoder.size;
  return true;
}

function flush(): void {
  if (end === 0) return;
  socket.write(out.subarray(0, end));
  end = 0;
  // What the system did not take at once is still read from there.
  if (socket.writableLength > 0) out = Buffer.allocUnsafeSlow(OUT_BYTES);
}
