import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RouteSource } from '../../../host/route/route-parts.js';
import { RouteSources } from '../../../host/route/route-sources.js';
import { Origins } from '../../../host/sinks/message-id.js';

function source(name: string, replays: boolean): RouteSource {
  return {
    name,
    replays,
    routes: 0,
    resume: () => {},
    delivered: () => {},
    refused: () => {},
    sendBack: () => false,
  };
}

test('a source may be called replay: it is not taken for the way back of the quarantine, which has that name too', () => {
  const sources = new RouteSources('route', new Origins('gateway', '1'));
  sources.attach(source('replay', true));
  const own = source('replay', false);
  sources.attach(own);
  assert.equal(sources.named('replay'), own);
  assert.equal(sources.originOf('replay').stem, 'gateway/replay/');
});
