import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Entrance } from '../../../host/route/entrance.js';
import { Replay } from '../../../host/route/replay.js';
import { FrameId, Origins, textOf } from '../../../host/sinks/message-id.js';

const FRAME = {
  source: 'line1',
  topic: 'line1/x',
  timestamp: 0n,
  payload: Buffer.from('x'),
  properties: [],
};

/** The id of a message that comes of this frame of the quarantine. @param start of the gateway */
async function idOf(start: string, place: { readonly id: number; readonly at: number }): Promise<string> {
  const origin = new Origins('gw', start).make('line1', '~replay', true);
  const entrance = { attach: () => 0, push: () => true, turnEnded: () => {} };
  const replay = new Replay(entrance as unknown as Entrance);
  const done = replay.run(FRAME, place);
  await setImmediate();
  const id = new FrameId(origin);
  id.stand(origin, 1);
  replay.names.name(1, id);
  replay.delivered(1);
  assert.deepEqual(await done, { outcome: 'delivered' });
  return textOf(id);
}

test('a frame that is replayed once more, by another start of the gateway too, has the message id that it had, and no other frame has it', async () => {
  const [first, again] = [await idOf('1', { id: 7, at: 36 }), await idOf('2', { id: 7, at: 36 })];
  assert.deepEqual([first, again], ['gw/~replay@line1/10-7', 'gw/~replay@line1/10-7']);
  assert.notEqual(await idOf('2', { id: 8, at: 36 }), first);
  assert.notEqual(await idOf('2', { id: 7, at: 37 }), first);
});
