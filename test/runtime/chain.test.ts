import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type ConverterGuest,
  type KernelGuest,
  type MessageObject,
  ObjectInstance,
  type Stage,
} from '../../runtime/index.js';
import type { FullFrame } from '../conformance/vectors.js';
import { DirectRunner, loadStage } from '../support/chain/direct-runner.js';

function frame(payload: string, properties: [string, string][] = []): FullFrame {
  return {
    source: 'line1',
    topic: 'in',
    timestamp: '1700000000123456789',
    payload: Buffer.from(payload).toString('hex'),
    properties,
  };
}

function message(text: string, rest: Partial<MessageObject> = {}): MessageObject {
  const payload = Buffer.from(text);
  return {
    topic: 'out',
    payload,
    timestamp: 5n,
    contentType: 'text/plain',
    qos: 0,
    retain: false,
    properties: [],
    ...rest,
  };
}

/** A null instance: a converter that is a function. */
function stage(plugin: string, convert: ConverterGuest['convert'], flush?: ConverterGuest['flush']): Stage {
  const guest: ConverterGuest = { configure() {}, convert, ...(flush === undefined ? {} : { flush }) };
  return { plugin, instance: new ObjectInstance(guest, plugin) };
}

function kernel(plugin: string, process: KernelGuest['process']): Stage {
  return { plugin, instance: new ObjectInstance({ configure() {}, process }, plugin) };
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();
const split = stage('split', frames =>
  frames.map(({ payload, properties }) => ({
    tag: 'ok' as const,
    val: text(payload)
      .split(',')
      .map(part => message(part, { properties })),
  })),
);
const shout = stage('shout', frames =>
  frames.map(({ source, topic, payload, timestamp, properties }) => ({
    tag: 'ok' as const,
    val: [message(`${source} ${topic} ${timestamp} ${text(payload).toUpperCase()}`, { properties })],
  })),
);

function payloads(outcomes: ReturnType<DirectRunner['run']>): (string | string[])[] {
  return outcomes.map(outcome =>
    'fault' in outcome
      ? `${outcome.fault.code}: ${outcome.fault.text}`
      : outcome.messages.map(({ payload }) => Buffer.from(payload, 'hex').toString()),
  );
}

test('the second converter sees source, topic, timestamp and properties of the first', () => {
  const runner = new DirectRunner([split, shout]);
  const [outcome] = runner.run([frame('a,b', [['key', 'värde']])]);
  assert.deepEqual(payloads([outcome!]), [['line1 out 5 A', 'line1 out 5 B']]);
  assert.ok(outcome !== undefined && 'messages' in outcome);
  assert.deepEqual(
    outcome.messages.map(({ properties }) => properties),
    [[['key', 'värde']], [['key', 'värde']]],
  );
});

test('messages keep to the frame that they come from, also where a frame gives none', () => {
  const some = stage('some', frames =>
    frames.map(({ payload }) => ({
      tag: 'ok' as const,
      val: text(payload) === 'none' ? [] : [message(text(payload))],
    })),
  );
  const runner = new DirectRunner([split, some, shout]);
  assert.deepEqual(payloads(runner.run([frame('a,none,b'), frame('none'), frame('c')])), [
    ['line1 out 5 A', 'line1 out 5 B'],
    [],
    ['line1 out 5 C'],
  ]);
});

test('a fault at any stage is the outcome of its frame, and no message of that frame leaves', () => {
  const picky = stage('picky', frames =>
    frames.map(({ payload }) =>
      text(payload) === 'bad'
        ? { tag: 'err' as const, val: { tag: 'out-of-range' as const, val: 'bad is out of range' } }
        : { tag: 'ok' as const, val: [message(text(payload))] },
    ),
  );
  for (const chain of [
    [split, picky],
    [split, picky, shout],
  ]) {
    const outcomes = payloads(new DirectRunner(chain).run([frame('a,bad,c'), frame('d')]));
    assert.equal(outcomes[0], 'SLUICE_CONVERT_RANGE: bad is out of range');
    assert.equal(outcomes[1]?.length, 1);
  }
});

test('too few results are SLUICE_GUEST_RESULT', () => {
  const runner = new DirectRunner([
    stage('short', frames => frames.slice(1).map(() => ({ tag: 'ok' as const, val: [] }))),
  ]);
  assert.throws(() => runner.run([frame('a'), frame('b')]), {
    code: 'SLUICE_GUEST_RESULT',
    message: /1 results for 2 frames/,
  });
});

test('a QoS above 2 is SLUICE_GUEST_RESULT', () => {
  const runner = new DirectRunner([
    stage('qos', frames => frames.map(() => ({ tag: 'ok' as const, val: [message('x', { qos: 3 })] }))),
  ]);
  assert.throws(() => runner.run([frame('a')]), { code: 'SLUICE_GUEST_RESULT', message: /QoS 3/ });
});

test('core modules and null instances run in one chain', async () => {
  const echo = await loadStage('test/guests/echo.wasm', {});
  const runner = new DirectRunner([echo, split, echo, shout, echo]);
  const [outcome] = runner.run([frame('a,b', [['k', 'v']])]);
  assert.deepEqual(payloads([outcome!]), [['line1 out 5 A', 'line1 out 5 B']]);
});

test('each frame keeps its own properties, whether it shares their list with its neighbours or not', async () => {
  const echo = await loadStage('test/guests/echo.wasm', {});
  const one: [string, string][] = [['k', 'one']];
  const two: [string, string][] = [
    ['k', 'two'],
    ['more', ''],
  ];
  const lists = [one, one, [], one, two, two, one];
  for (const stages of [[echo], [echo, split, echo]]) {
    const outcomes = new DirectRunner(stages).run(lists.map(list => frame('a,b', list)));
    for (const [index, outcome] of outcomes.entries()) {
      assert.ok('messages' in outcome && outcome.messages.length > 0);
      for (const { properties } of outcome.messages) assert.deepEqual(properties, lists[index]);
    }
  }
});

test('kernels between converters see samples and their shape', async () => {
  const toFloats = kernel('to-floats', ({ data, ...rest }) => ({
    ...rest,
    rate: 25_600,
    channels: 3,
    data: { tag: 'f32', val: Float32Array.from(data.val) },
  }));
  const gain = await loadStage('test/guests/gain.wasm', { gain: 2 });
  const tell = stage('tell', frames =>
    frames.map(({ source, topic, payload, properties }) => {
      const values = Array.from({ length: payload.length / 4 }, (_, at) =>
        Buffer.from(payload).readFloatLE(at * 4),
      );
      return {
        tag: 'ok' as const,
        val: [message(`${source} ${topic} ${values} ${JSON.stringify(properties)}`)],
      };
    }),
  );
  const runner = new DirectRunner([toFloats, gain, tell]);
  assert.deepEqual(payloads(runner.run([frame('\x01\x02\x03'), frame('\x04')])), [
    ['line1 in 2,4,6 [["format","f32"],["channels","3"],["rate","25600"]]'],
    ['line1 in 8 [["format","f32"],["channels","3"],["rate","25600"]]'],
  ]);
});

test('of a kernel only its data and their texts travel on, not what it was given or needed on the way', async () => {
  const raw = kernel('raw', ({ data, ...rest }) => ({
    ...rest,
    data: { tag: 'f32', val: Float32Array.from(data.val) },
  }));
  const gains = await Promise.all([1, 2, 3].map(gain => loadStage('test/guests/gain.wasm', { gain })));
  const given: number[] = [];
  const watched = gains.map(({ plugin, instance }): Stage => {
    const run: typeof instance.run = items => {
      given.push(items.length + (items.tail?.length ?? 0));
      return instance.run(items);
    };
    return { plugin, instance: Object.assign(Object.create(instance), { kind: instance.kind, run }) };
  });
  const long = frame('\x01'.repeat(1000));
  const [one, two] = new DirectRunner([raw, ...watched]).run([long, long]);
  const text = 'line1in'.length;
  // Twice a thousand floats, in one case with what lies between them.
  for (const bytes of given) assert.ok(bytes >= 8000 + 2 * text && bytes < 8000 + 300, given.join());
  assert.equal(given.length, 3);
  for (const outcome of [one, two]) {
    assert.ok(outcome !== undefined && 'messages' in outcome);
    const [{ topic, payload } = { topic: '', payload: '' }] = outcome.messages;
    assert.deepEqual([topic, payload], ['in', '0000c040'.repeat(1000)]);
  }
});

test('data that lie far apart in a kernel are put side by side, with their bits', async () => {
  const far: KernelGuest['process'] = ({ data, ...rest }) => ({
    ...rest,
    data: { tag: 'f32', val: Float32Array.from(data.val) },
  });
  const raw = kernel('raw', far);
  const window = { window: 1000, features: ['mean', 'most'] };
  const [features, gain] = await Promise.all([
    loadStage('plugins/features.wasm', window),
    loadStage('test/guests/gain.wasm', { gain: 2 }),
  ]);
  let given = 0;
  const run: typeof gain.instance.run = items => {
    given = items.length;
    return gain.instance.run(items);
  };
  const last = {
    ...gain,
    instance: Object.assign(Object.create(gain.instance), { kind: gain.instance.kind, run }),
  };
  const frames = ['\x03', '\x05', '\x07'].map(sample => frame(sample.repeat(1000)));
  const results = new DirectRunner([raw, features, last]).run(frames);
  assert.deepEqual(
    results.map(result => {
      assert.ok('messages' in result);
      const [{ topic, payload } = { topic: '', payload: '' }] = result.messages;
      const bytes = Buffer.from(payload, 'hex');
      return [topic, bytes.readFloatLE(0), bytes.readFloatLE(4)];
    }),
    [
      ['in', 6, 6],
      ['in', 10, 10],
      ['in', 14, 14],
    ],
  );
  assert.ok(given <= 3 * 16, `${given} bytes`);
});

test('a chain that ends in a kernel gives out its samples as bytes', async () => {
  const toFloats = kernel('to-floats', ({ data, ...rest }) => ({
    ...rest,
    data: { tag: 'f32', val: Float32Array.from(data.val) },
  }));
  const [outcome] = new DirectRunner([toFloats]).run([frame('\x01')]);
  assert.ok(outcome !== undefined && 'messages' in outcome);
  assert.equal(outcome.messages[0]?.payload, '0000803f');
  assert.equal(outcome.messages[0]?.contentType, 'application/octet-stream');
  assert.equal(outcome.messages[0]?.qos, 1);
});

test('an errno of a kernel refuses its block and no other', () => {
  const refuse = kernel('refuse', block => {
    if (block.data.val[0] === 0x62) throw Object.assign(new Error('refused'), { payload: 'einval' });
    return block;
  });
  const outcomes = payloads(new DirectRunner([refuse]).run([frame('a'), frame('b'), frame('c')]));
  assert.deepEqual(outcomes[0], ['a']);
  assert.match(outcomes[1] as string, /^SLUICE_KERNEL_ERRNO: refuse answered EINVAL/);
  assert.deepEqual(outcomes[2], ['c']);
});
