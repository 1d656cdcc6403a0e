/**
 * `npm run bench -- NAME [--json] [--short] [--only CASE] [--swaps N]`: the last line of standard output is one JSON object
 * `{bench, ratios, targets, pass, ...figures}`. Exit 0: measured (see `pass`), 1: could not measure, 2: usage.
 */
import { availableParallelism, cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { setV8Flags } from '../../sandbox/index.js';
import { type BenchResult, formatTable, meetsAll, ratioTable } from './report.js';

interface Options {
  readonly json: boolean;
  /** Variants of `border`, cases of `kernels`, guests of `attack`, to run alone, for a profile. */
  readonly only: readonly string[];
  /** Fewer and shorter rounds, for `npm run test:long`: says that a benchmark works, and nothing about speed. */
  readonly short: boolean;
  /** Swaps of `reload` at its full rate. */
  readonly swaps: number | undefined;
}

const BENCHES: Readonly<Record<string, (options: Options) => Promise<BenchResult>>> = {
  admission: async () => (await import('./admission/admission.js')).admission(),
  attack: async ({ only, short }) => (await import('./attack/attack.js')).attack(only, short),
  border: async ({ only, short }) => (await import('./border/border.js')).border(only, short),
  coap: async ({ short }) => (await import('./coap/coap.js')).coap(short),
  connections: async ({ short }) => (await import('./connections/connections.js')).connections(short),
  crash: async ({ short }) => (await import('./durable/crash.js')).crash(short),
  gateway: async () => (await import('./gateway/gateway.js')).gateway(),
  ingest: async ({ short }) => (await import('./ingest/ingest.js')).ingest(short),
  kernels: async ({ only }) => (await import('./kernels/kernels.js')).kernels(only),
  leak: async ({ only, short }) => (await import('./leak/leak.js')).leak(short ? ['short'] : only),
  modbus: async ({ short }) => (await import('./modbus/modbus.js')).modbus(short),
  outage: async ({ short }) => (await import('./durable/outage.js')).outage(short),
  reload: async ({ short, swaps }) => (await import('./reload/reload.js')).reload(swaps, short),
  'sandbox-tax': async ({ short }) => (await import('./tax/sandbox-tax.js')).sandboxTax(short),
  tunnel: async ({ short }) => (await import('./tunnel/tunnel.js')).tunnel(short),
};

const USAGE = `usage: npm run bench -- ${Object.keys(BENCHES).join('|')} [--json] [--short] [--only CASE] [--swaps N]`;

async function main(): Promise<number> {
  let name: string | undefined;
  let options: Options;
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        short: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true },
        swaps: { type: 'string' },
      },
    });
    name = positionals.length === 1 ? positionals[0] : undefined;
    options = {
      json: values.json,
      short: values.short,
      only: values.only ?? [],
      swaps: values.swaps === undefined ? undefined : Number(values.swaps),
    };
  } catch (thrown) {
    process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n${USAGE}\n`);
    return 2;
  }
  const bench = name === undefined ? undefined : BENCHES[name];
  if (bench === undefined) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  // Before the first module is compiled, as in the product; for the peers it costs nothing at steady speed.
  setV8Flags();
  const result = await bench(options);
  const { ratios, targets, figures, tables } = result;
  if (!options.json) {
    for (const table of [...tables, ratioTable(result)]) process.stdout.write(`${formatTable(table)}\n\n`);
  }
  const machine = {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
  };
  const line = { bench: name, ratios, targets, pass: meetsAll(result), ...figures, machine };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (thrown) {
  process.stderr.write(`${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}\n`);
  process.exitCode = 1;
}
