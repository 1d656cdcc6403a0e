import type { Command } from 'commander';
import { examples } from './examples.js';

/** `sluice plugin ...`: what an author does with a module, without a gateway. */
export function addPluginCommands(program: Command, exit: (code: number) => void): void {
  const plugin = program.command('plugin').description('build, pack and check plugins');
  plugin.addHelpText(
    'after',
    examples('sluice plugin build my-plugin', 'sluice plugin check my-plugin.wasm'),
  );

  plugin
    .command('build')
    .description('compile the plugin in a folder and pack it with its plugin.json')
    .argument('[dir]', 'folder with plugin.json and the source', '.')
    .option('-o, --out <file>', 'where to write; default: build/NAME.wasm in the folder')
    .option('--json', 'what was built, as JSON')
    .addHelpText('after', examples('sluice plugin build', 'sluice plugin build plugins-wasm/modbus-json'))
    .action(async (dir: string, options: { out?: string; json?: boolean }) =>
      exit(await (await import('./plugin-build.js')).buildPlugin(dir, options)),
    );

  plugin
    .command('pack')
    .description('put a manifest into a module, as its last section')
    .argument('<file>', 'the module (.wasm)')
    .requiredOption('-m, --manifest <file>', 'the manifest as JSON')
    .option('-o, --out <file>', 'where to write; default: over the module')
    .option('--json', 'what was written, as JSON')
    .addHelpText(
      'after',
      examples('sluice plugin pack scale.wasm --manifest plugin.json --out plugins/scale.wasm'),
    )
    .action(async (file: string, options: { manifest: string; out?: string; json?: boolean }) =>
      exit(await (await import('./plugin-pack.js')).packPlugin(file, options)),
    );

  plugin
    .command('check')
    .description('say what a module is and whether a gateway would take it')
    .argument('<file>', 'the module (.wasm)')
    .option('--memory <size>', 'memory that it would be granted', '16MiB')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      examples('sluice plugin check scale.wasm', 'sluice plugin check scale.wasm --memory 1MiB --json'),
    )
    .action(async (file: string, options: { memory: string; json?: boolean }) =>
      exit(await (await import('./plugin-check.js')).checkPlugin(file, options)),
    );
}
