import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemsOf, read } from './support.js';

const config = (topics: string, filter: string): string => `sources:
  floor: { mqtt: { url: mqtt://127.0.0.1, topics: ${topics} } }
sinks: { plant: { mqtt: { url: mqtt://127.0.0.1, prefix: out/ } } }
routes:
  - { from: floor, filter: ${filter}, through: [ a ] }
  - { from: floor, through: [ b ] }
`;

test('a route may take one filter or several, and without one it takes all', async () => {
  const one = await read(config('[ "in/#" ]', 'in/+/raw'));
  assert.deepEqual(
    one.config.routes.map(({ filter }) => filter),
    [['in/+/raw'], undefined],
  );
  const two = await read(config('[ "in/#" ]', '[ in/a, "in/b/#" ]'));
  assert.deepEqual(two.config.routes[0]!.filter, ['in/a', 'in/b/#']);
});

test('a filter that is none, or a shared one, is refused at its place', async () => {
  const [first] = await problemsOf(config('[ "in/#" ]', '[ in/a, in/b# ]'));
  assert.match(first!, /5:36: routes\[0\]\.filter\[1\].* has a # that is not the last level/);
  const [shared] = await problemsOf(config('[ "in/#" ]', '$share/g/in'));
  assert.match(shared!, /routes\[0\]\.filter.* is shared; here it stands for topics alone/);
});

test('subscriptions that lie within each other are told of', async () => {
  const { warnings } = await read(config('[ "in/#", in/a ]', 'in/a'));
  assert.match(
    warnings.map(({ text }) => text).join('\n'),
    /lies within "in\/#": most brokers send such a message/,
  );
});

test('a topic filter that what a sink publishes on the same broker comes back through is told of', async () => {
  const told = async (topic: string, url: string, prefix: string): Promise<string[]> => {
    const sink = `{ url: ${url}${prefix === '' ? '' : `, prefix: ${prefix}`} }`;
    const { warnings } =
      await read(`sources: { floor: { mqtt: { url: mqtt://127.0.0.1, topics: [ "${topic}" ] } } }
sinks: { plant: { mqtt: ${sink} } }
routes: [ { from: floor, through: [ a ] } ]
`);
    return warnings.map(({ text }) => text);
  };
  const same = 'mqtt://localhost:1883';
  assert.match((await told('in/#', same, ''))[0]!, /the sink plant .* without end, unless a plugin/);
  assert.match((await told('#', same, 'out/'))[0]!, /without end; give the sink a `prefix`/);
  assert.match((await told('$share/g/out/#', same, 'out/'))[0]!, /without end/);
  assert.deepEqual(await told('in/#', same, 'out/'), []);
  assert.deepEqual(await told('#', 'mqtt://127.0.0.1:1884', ''), []);
});
