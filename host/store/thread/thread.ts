import { parentPort, receiveMessageOnPort } from 'node:worker_threads';
import type { FromStore, ToStore } from '../messages.js';
import { Desk } from './desk.js';

/** Requests of one commit: more would make the first of them wait too long. */
const MOST = 4096;

const port = parentPort;
if (port === null) throw new Error('this file runs in a thread of its own');
const desk = new Desk((message: FromStore) => port.postMessage(message));

port.on('message', (first: ToStore) => {
  // All that came while the last commit ran is the next one.
  const requests = [first];
  while (requests.length < MOST) {
    const next = receiveMessageOnPort(port);
    if (next === undefined) break;
    requests.push(next.message as ToStore);
  }
  if (desk.serve(requests) === 'closed') port.close();
});
