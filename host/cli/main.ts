import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { parseDuration } from '../config/units.js';
import { addPluginCommands } from './commands-plugin.js';
import { examples } from './examples.js';
import { EXIT, reportFailure } from './exit.js';

/**
 * Runs one command line and gives the exit code. Each command's file is loaded only when it is called, so that
 * `sluice errors` does not pay for the gateway.
 */
export async function run(args: readonly string[]): Promise<number> {
  let exit: number = EXIT.ok;
  const program = build(code => {
    exit = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (thrown) {
    // --help and --version end here too, with 0; everything else is a usage error, already printed.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
    return reportFailure(thrown);
  }
  return exit;
}

function build(exit: (code: number) => void): Command {
  const program = new Command('sluice')
    .description(
      'A WebAssembly-first protocol gateway: device bytes in, sandboxed plugins, clean messages out.',
    )
    .version(packageVersion())
    .exitOverride();
  program.addHelpText(
    'after',
    examples('sluice demo', 'sluice validate sluice.yaml', 'sluice start --config sluice.yaml'),
  );

  program
    .command('start')
    .description('run the gateway')
    .option('-c, --config <file>', 'configuration file', 'sluice.yaml')
    .addHelpText('after', examples('sluice start', 'SLUICE_LOG=debug sluice start --config line1.yaml'))
    .action(async (options: { config: string }) => (await import('./start.js')).start(options));

  program
    .command('demo')
    .description('a simulated PLC, an embedded broker and the gateway between them')
    .option('--for <duration>', 'stop after this time, such as 10s', duration)
    .option('--json', 'one line of JSON at the end')
    .addHelpText('after', examples('sluice demo', 'sluice demo --for 10s --json'))
    .action(async (options: { for?: string; json?: boolean }) => (await import('./demo.js')).demo(options));

  program
    .command('validate')
    .description('check a configuration file without starting; exit 78 if it cannot be used')
    .argument('[file]', 'configuration file', 'sluice.yaml')
    .option('--json', 'the problems as JSON')
    .addHelpText('after', examples('sluice validate', 'sluice validate line1.yaml --json'))
    .action(async (file: string, options: { json?: boolean }) =>
      exit(await (await import('./validate.js')).validateFile(file, options)),
    );

  program
    .command('errors')
    .description('explain an error code, or list all of them')
    .argument('[code]', 'such as SLUICE_GUEST_DEADLINE')
    .option('--json', 'as JSON')
    .addHelpText('after', examples('sluice errors SLUICE_GUEST_DEADLINE', 'sluice errors --json'))
    .action(async (code: string | undefined, options: { json?: boolean }) =>
      exit((await import('./errors.js')).explainErrors(code, options)),
    );

  program
    .command('replay')
    .description('run the frames of files (quarantine, recordings) through a plugin in the real sandbox')
    .argument('<files...>', 'what GET /v1/quarantine answers, such frames one a line, or a quarantine.db')
    .requiredOption('-p, --plugin <file>', 'the packed plugin (.wasm)')
    .option('--config <json>', 'configuration of the plugin', json, '{}')
    .option('--json', 'one line of JSON a frame')
    .addHelpText(
      'after',
      examples(
        'sluice replay data/quarantine.db --plugin level-1.0.1.wasm',
        'sluice replay quarantined.json --plugin level-1.0.1.wasm --json',
      ),
    )
    .action(async (files: string[], options: { plugin: string; config: string; json?: boolean }) =>
      exit(await (await import('./replay.js')).replayFiles(files, options)),
    );

  addPluginCommands(program, exit);
  pointToHelp(program, program.name());
  return program;
}

/** A usage error ends with the help of the very command that it is about. */
function pointToHelp(command: Command, path: string): void {
  command.showHelpAfterError(
    `(${path} --help shows ${command.commands.length > 0 ? 'all commands' : 'its options'})`,
  );
  for (const each of command.commands) pointToHelp(each, `${path} ${each.name()}`);
}

/** A wrong duration on the command line is a usage error like any other. */
function duration(text: string): string {
  if (parseDuration(text) === undefined)
    throw new InvalidArgumentError('Write a duration such as 10s or 2m.');
  return text;
}

function json(text: string): string {
  try {
    JSON.parse(text);
    return text;
  } catch (thrown) {
    throw new InvalidArgumentError(`It is not JSON: ${(thrown as Error).message}`);
  }
}

function packageVersion(): string {
  // From dist/host/cli/ up to the package.
  const file = new URL('../../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
