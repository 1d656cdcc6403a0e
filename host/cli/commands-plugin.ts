import type { Command } from 'commander';
import { addSigningCommands } from './commands-signing.js';
import { examples } from './examples.js';
import type { CallOptions } from './plugin-call.js';
import type { CheckOptions } from './plugin-check.js';

/** `sluice plugin ...`: what an author does with a module, without a gateway. */
export function addPluginCommands(program: Command, exit: (code: number) => void): void {
  const plugin = program
    .command('plugin')
    .description('make, build, test, pack, sign, check and call plugins');
  plugin.addHelpText(
    'after',
    examples('sluice plugin new my-plugin --lang as', 'sluice plugin test my-plugin'),
  );

  plugin
    .command('new')
    .description('make a folder with a plugin to begin with: source, manifest, vectors, tests')
    .argument('<name>', 'name of the plugin: lower-case letters, digits and hyphens')
    .option('-l, --lang <language>', 'language of the source: as (AssemblyScript)', 'as')
    .option('-d, --dir <folder>', 'where; default: a folder of that name')
    .option('--json', 'what was written, as JSON')
    .addHelpText(
      'after',
      examples(
        'sluice plugin new level --lang as',
        'sluice plugin new level --dir plugins-wasm/level && cd plugins-wasm/level && npm install && npm test',
      ),
    )
    .action(async (name: string, options: { lang: string; dir?: string; json?: boolean }) =>
      exit(await (await import('./plugin-new.js')).newPlugin(name, options)),
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
    .command('test')
    .description('run test vectors through a plugin in the real sandbox; exit 1 if one does not match')
    .argument('[target]', 'folder with plugin.json and vectors.json, built if need be; or a packed file', '.')
    .option('--vectors <file>', 'other vectors than those of the folder or file')
    .option('--json', 'the verdicts as JSON')
    .addHelpText(
      'after',
      examples('sluice plugin test', 'sluice plugin test level.wasm --vectors vectors.json --json'),
    )
    .action(async (target: string, options: { vectors?: string; json?: boolean }) =>
      exit(await (await import('./plugin-test.js')).testPlugin(target, options)),
    );

  plugin
    .command('call')
    .description('run one frame through a plugin in the real sandbox and print what comes out')
    .argument('<file>', 'the packed plugin (.wasm)')
    .option('--hex <bytes>', 'the frame as hex; spaces are fine')
    .option('--text <text>', 'the frame as text')
    .option('--in <file>', 'a file with the frame; - is standard input')
    .option('--topic <topic>', 'topic of the frame', 'test')
    .option('--source <name>', 'source of the frame', 'test')
    .option('--config <json>', 'configuration of the plugin', '{}')
    .option('--json', 'what came out as JSON')
    .addHelpText(
      'after',
      examples(
        "sluice plugin call level.wasm --hex '00 01 00 00 00 05 01 03 02 00 d7'",
        `sluice plugin call recipe.wasm --text '{"recipe":7}' --topic line1/recipe`,
        'sluice plugin call modbus-json.wasm --in reply.bin --topic line1/1/3/0-11 --json',
      ),
    )
    .action(async (file: string, options: CallOptions) =>
      exit(await (await import('./plugin-call.js')).callPlugin(file, options)),
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

  addSigningCommands(plugin, exit);

  plugin
    .command('check')
    .description('say what modules are and whether a gateway would take them; exit 1 if one is refused')
    .argument('<files...>', 'modules (.wasm)')
    .option('--memory <size>', 'memory that they would be granted; default 16MiB')
    .option(
      '--simd <rule>',
      'none, integer, baseline, or names of instructions with commas; default baseline',
    )
    .option('-c, --config <file>', 'judge as the gateway with this configuration would')
    .option('-k, --keys <folder>', 'trusted keys; once there is one a signature is asked for')
    .option('--json', 'a line of JSON for each file, with everything')
    .addHelpText(
      'after',
      examples(
        'sluice plugin check scale.wasm',
        'sluice plugin check scale.wasm --memory 1MiB --simd none --json',
        'sluice plugin check plugins/*.wasm --config sluice.yaml',
      ),
    )
    .action(async (files: string[], options: CheckOptions) =>
      exit(await (await import('./plugin-check.js')).checkPlugins(files, options)),
    );
}
