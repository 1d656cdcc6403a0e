import assert from 'node:assert/strict';
import { test } from 'node:test';
import { traceIdOf } from '../../../host/sources/traceparent.js';
import { numberedMessage, type SourceRig, withSource } from '../../support/mqtt/mqtt-source-rig.js';
import { httpScene } from '../../support/sources/http-rig.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const OTHER = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = 'b7ad6b7169203331';

test('a traceparent has a trace id only where the standard calls it valid', () => {
  const idOf = (text: string): string | undefined => traceIdOf(text)?.toString();
  // What a later version has behind it is its own.
  for (const good of [
    `00-${TRACE}-${PARENT}-00`,
    `cc-${TRACE}-${PARENT}-01-what-comes`,
    `cc-${TRACE}-${PARENT}-09`,
  ])
    assert.equal(idOf(good), TRACE, good);
  const none = [
    `ff-${TRACE}-${PARENT}-01`,
    `0g-${TRACE}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}`,
    `00-${TRACE}-${PARENT}-`,
    `00-${TRACE}-${PARENT}-0`,
    `00-${TRACE}-${PARENT}-0x`,
    `00-${TRACE}-${PARENT}-011`,
    `00-${TRACE}-${PARENT}-01-what-comes`,
    `cc-${TRACE}-${PARENT}-01.what-comes`,
    `00_${TRACE}-${PARENT}-01`,
    `00-${TRACE}_${PARENT}-01`,
    `00-${TRACE}-${PARENT}_01`,
    '',
  ];
  for (const bad of none) assert.equal(idOf(bad), undefined, bad);
  assert.equal(traceIdOf(undefined), undefined);
});

/** Sends messages with these user properties, and gives of each frame the properties and the trace id. */
async function framesOf(
  { ingress, source, subscribed }: SourceRig,
  messages: readonly Record<string, string | string[]>[],
): Promise<unknown[][]> {
  const connection = await subscribed();
  for (const [index, userProperties] of messages.entries())
    connection.send(numberedMessage(index + 1, { qos: 0, properties: { userProperties } }));
  await ingress.until(() => ingress.frames.length === messages.length);
  return ingress.frames.map(({ properties }, index) => [properties, source.names.trace?.(index + 1)]);
}

test('trace context of a message is no property of its frame, and its trace id stands beside that until it is delivered', async () => {
  await withSource({}, {}, async rig => {
    const traced = (id: string) => ({
      a: '1',
      traceparent: `00-${id}-${PARENT}-01`,
      tracestate: 'x=y',
      b: '2',
    });
    const both = [
      ['a', '1'],
      ['b', '2'],
    ];
    // The third has the properties of the first, which are known by then.
    const messages = [traced(TRACE), traced(OTHER), traced(TRACE), { a: '1' }, { tracestate: 'x=y' }];
    assert.deepEqual(await framesOf(rig, messages), [
      [both, TRACE],
      [both, OTHER],
      [both, TRACE],
      [[['a', '1']], undefined],
      [[], undefined],
    ]);
    rig.source.delivered(2);
    assert.deepEqual(
      [1, 2, 3].map(sequence => rig.source.names.trace?.(sequence)),
      [undefined, undefined, TRACE],
    );
  });
});

test('a traceparent that is none, or comes twice, is left out and gives no trace id', async () => {
  await withSource({}, {}, async rig => {
    const good = `00-${TRACE}-${PARENT}-01`;
    const messages = [
      { traceparent: `00-${TRACE}-${PARENT}-1` },
      { traceparent: [good, `00-${OTHER}-${PARENT}-01`], line: '4' },
      { traceparent: ['none', good, good] },
      // Names of user properties are told apart by case too.
      { Traceparent: good },
    ];
    assert.deepEqual(await framesOf(rig, messages), [
      [[], undefined],
      [[['line', '4']], undefined],
      [[], undefined],
      [[['Traceparent', good]], undefined],
    ]);
  });
});

test('of a request all frames have the trace id of its header, until they are delivered, and none has it as a property', async t => {
  const { ingress, source, post } = await httpScene(t);
  const lines = { 'content-type': 'application/x-ndjson', prefer: 'respond-async' };
  await post('1\n2', { ...lines, traceparent: `00-${TRACE}-${PARENT}-01`, tracestate: 'x=y' });
  await post('3', { ...lines, traceparent: `00-${TRACE}-${PARENT}` });
  await post('4', { ...lines, traceparent: `00-${OTHER}-${PARENT}-01` });
  const traces = (): unknown[] => [1, 2, 3, 4].map(sequence => source.names.trace?.(sequence));
  assert.deepEqual(traces(), [TRACE, TRACE, undefined, OTHER]);
  source.delivered(1);
  assert.deepEqual(traces(), [undefined, TRACE, undefined, OTHER]);
  const names = ingress.frames.map(({ properties }) => properties.map(([key]) => key));
  assert.deepEqual(names, Array(4).fill(['peer', 'content-type']));
});
