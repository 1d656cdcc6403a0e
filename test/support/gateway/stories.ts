import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setV8Flags } from '../../../sandbox/index.js';
import { startAdminRig } from '../../host/admin/rig.js';
import { DirectRunner, loadStage } from '../chain/direct-runner.js';
import { send } from '../sources/http-rig.js';
import { variant } from './gateway-rig.js';

const TOKEN = 'k3J9_xQ7mB2vN8pR';
/** What each fault guest does in front of its echo, if the first byte of the frame is this one. */
const POISON = Buffer.from([0xee]);

/** How what a guest did can be read: its code in the log and in /v1, and the counters beside it. */
interface Story {
  /** Undefined: what it does is allowed. */
  readonly code?: string;
  /** In the one log line. */
  readonly says: RegExp;
  readonly counts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** The frame is in quarantine. */
  readonly isKept?: boolean;
  readonly limits?: Readonly<Record<string, number>>;
  /** Of the one that counts, as a guest has no clock. */
  readonly takesMs?: number;
  readonly deadline?: string;
  /** On a machine that is busy it may take too long once: it is given frames until it does not. */
  readonly isTimed?: boolean;
}

const faulted = (plugin: string, code: string) => ({
  sluice_plugin_faults_total: { plugin, code },
  sluice_frames_refused_total: { source: plugin, plugin, code },
  sluice_frames_quarantined_total: { source: plugin, plugin, code },
});

function poisoned(guest: string, code: string, says: RegExp, more: Partial<Story> = {}): Story {
  return { code, says, counts: faulted(guest, code), isKept: true, ...more };
}

function killed(guest: string): Story {
  const code = 'SLUICE_GUEST_DEADLINE';
  const counts = { ...faulted(guest, code), sluice_plugin_restarts_total: { plugin: guest, code } };
  return {
    code,
    says: new RegExp(`^${guest} was killed: a call took longer than \\d+ ms`),
    counts,
    isKept: true,
    deadline: '100ms',
  };
}

export const STORIES: Readonly<Record<string, Story>> = {
  trap: poisoned('trap', 'SLUICE_GUEST_TRAP', /unreachable/),
  spin: killed('spin'),
  'memory-fill': killed('memory-fill'),
  recurse: poisoned('recurse', 'SLUICE_GUEST_STACK', /stack/),
  'bad-pointer': poisoned('bad-pointer', 'SLUICE_GUEST_RESULT', /outside/),
  'bad-length': poisoned('bad-length', 'SLUICE_GUEST_RESULT', /outside/),
  'bad-count': poisoned('bad-count', 'SLUICE_GUEST_RESULT', /0 results for 1 frames/),
  // In its own memory it holds little: what it returns fills the heap of its thread, which ends.
  'heap-hog': poisoned('heap-hog', 'SLUICE_GUEST_HEAP', /heap out of memory/, {
    counts: {
      ...faulted('heap-hog', 'SLUICE_GUEST_HEAP'),
      sluice_plugin_restarts_total: { plugin: 'heap-hog', code: 'SLUICE_GUEST_HEAP' },
    },
  }),
  'big-output': poisoned('big-output', 'SLUICE_GUEST_OUTPUT', /262144/, { limits: { output: 262_144 } }),
  'spin-at-start': {
    code: 'SLUICE_GUEST_DEADLINE',
    says: /^spin-at-start\.wasm is refused: .* within \d+ ms/,
    counts: { sluice_plugin_faults_total: { plugin: 'spin-at-start', code: 'SLUICE_GUEST_DEADLINE' } },
  },
  slow: {
    code: 'SLUICE_GUEST_SLOW',
    says: /^a batch of 1 frame took \d+ ms of the \d+ ms that it may take; the next ones have at most 1$/,
    counts: { sluice_batches_slow_total: { plugin: 'slow' } },
    takesMs: 170,
    deadline: '200ms',
    isTimed: true,
  },
  'zero-output': {
    says: /^a frame gave no message, which is allowed/,
    counts: { sluice_frames_silent_total: { route: 'zero-output' } },
  },
  'log-flood': {
    says: /^\d+ more lines were left out$/,
    counts: {
      sluice_plugin_log_lines_total: { plugin: 'log-flood' },
      sluice_plugin_log_lines_left_out_total: { plugin: 'log-flood' },
    },
  },
  flaky: {
    code: 'SLUICE_GUEST_FLAKY',
    says: /unreachable.*\(SLUICE_GUEST_TRAP\); run one by one all \d+ frames of the call went through, and nothing is lost$/,
    counts: { sluice_frames_retried_total: { plugin: 'flaky', code: 'SLUICE_GUEST_TRAP' } },
  },
  // All that the cap gives, or a growth in mid-call: neither harms anybody.
  'memory-hog': {
    says: /^memory-hog holds 6\d(\.\d)? of the 64 MiB of memory that it may have/,
    counts: { sluice_guest_memory_bytes: { route: 'memory-hog' } },
  },
  grow: { says: /^grow\.wasm serves/, counts: { sluice_guest_memory_bytes: { route: 'grow' } } },
};

/** How far it has to count on this machine to be busy for so long. */
async function countFor(guest: string, ms: number): Promise<number> {
  // Compiled as a gateway does it.
  setV8Flags();
  const runner = new DirectRunner([await loadStage(`test/guests/${guest}.wasm`, { ms })]);
  const payload = POISON.toString('hex');
  const frame = { source: guest, topic: guest, timestamp: '0', payload, properties: [] };
  const began = performance.now();
  runner.run([frame]);
  return Math.round(ms ** 2 / (performance.now() - began));
}

/** Runs these guests in one gateway, each in front of a source of its own, and reads what is left of each. */
export async function tellStories(t: TestContext, names: readonly string[]): Promise<void> {
  const guests = Object.entries(STORIES).filter(([guest]) => names.includes(guest));
  const configs = new Map<string, { readonly ms: number }>();
  for (const [guest, { takesMs }] of guests)
    if (takesMs !== undefined) configs.set(guest, { ms: await countFor(guest, takesMs) });
  const rig = await startAdminRig(t, {}, [], 'echo', () => 0, {
    // Each has a thread of its own, and so has a candidate.
    plugins: {
      startDeadline: names.includes('heap-hog') ? '10s' : '1s',
      memory: '64MiB',
      sandboxes: guests.length + 4,
    },
    sources: Object.fromEntries(guests.map(([guest]) => [guest, { http: { token: TOKEN } }])),
    routes: guests.map(([guest, { deadline = '10s' }]) => ({
      from: guest,
      through: [{ plugin: guest, config: configs.get(guest) ?? {}, deadline }],
    })),
  });
  await Promise.all(
    guests.map(async ([guest, { limits = {} }]) =>
      writeFile(join(rig.plugins, `${guest}.wasm`), await variant(guest, { limits })),
    ),
  );
  await rig.gateway.settled();
  const post = (guest: string, body: Uint8Array, prefer = 'respond-async') =>
    send(
      rig.gateway.adminPort as number,
      {
        path: `/ingest/${guest}`,
        method: 'POST',
        headers: {
          authorization: `Bearer ${TOKEN}`,
          'content-length': String(body.length),
          'content-type': guest === 'flaky' ? 'application/x-ndjson' : 'application/octet-stream',
          prefer,
        },
      },
      body,
    );
  // One good frame first: from then on it is known how long a start takes.
  const serving = guests.filter(([guest]) => guest !== 'spin-at-start');
  await Promise.all(serving.map(([guest]) => post(guest, Buffer.from('x'), 'wait=9')));
  for (const [guest] of guests) {
    // With the one before a hundred: it fails at the last, and a fresh instance gets through all of these.
    const body = guest === 'flaky' ? Buffer.from('x\n'.repeat(99)) : POISON;
    assert.equal((await post(guest, body)).status, 202, guest);
  }
  for (const [guest, { code, says, counts, isKept = false, isTimed = false }] of guests) {
    for (const [name, labels] of Object.entries(counts)) {
      while (isTimed && (await rig.metric(name, labels)) === 0) await post(guest, POISON, 'wait=5');
      await rig.reaches(1, name, labels);
    }
    const isIts = ({ plugin, file, msg }: (typeof rig.book.lines)[number]): boolean =>
      (String(plugin).includes(guest) || file === `${guest}.wasm`) && says.test(msg);
    await rig.book.until(`a line of ${guest}`, () => rig.book.lines.some(isIts));
    const line = rig.book.lines.find(isIts);
    if (code !== undefined) {
      assert.equal(line?.code, code, guest);
      assert.ok(String(line?.remedy).length > 20);
    }
    const { body: shown } = await rig.ask('GET', `/v1/plugins/${guest}`);
    const told = shown.refused?.code ?? shown.lastFault?.code;
    if (isTimed) continue;
    assert.equal(told, code, guest);
    const { body: kept } = await rig.ask('GET', `/v1/quarantine?plugin=${guest}`);
    assert.deepEqual(
      kept.frames.map((frame: { code: string }) => frame.code),
      isKept ? [code] : [],
      guest,
    );
  }
  const refused = 'route spin-at-start: its plugins are refused; its frames wait on the disk';
  const expected = names.includes('spin-at-start') ? [refused] : [];
  assert.deepEqual(await rig.degraded('SLUICE_ROUTE_UNSERVED'), expected);
}
