import type { Command } from 'commander';
import { examples } from './examples.js';

/** `sluice plugin keygen | sign | verify`. */
export function addSigningCommands(plugin: Command, exit: (code: number) => void): void {
  plugin
    .command('keygen')
    .description('make a key to sign plugins with: NAME.key (private) and NAME.pub; nothing is overwritten')
    .option('-o, --out <folder>', 'where to write', '.')
    .option('-n, --name <name>', 'names of the two files', 'signing')
    .option('--json', 'what was written, as JSON')
    .addHelpText(
      'after',
      examples(
        'sluice plugin keygen --out ~/sluice-keys --name plant-a',
        'cp ~/sluice-keys/plant-a.pub keys/     # the gateway trusts it from now on',
        'mv keys/plant-a.pub keys/revoked/      # and never again',
      ),
    )
    .action(async (options: { out: string; name: string; json?: boolean }) =>
      exit(await (await import('./plugin-keygen.js')).makeKeys(options)),
    );

  plugin
    .command('sign')
    .description('sign packed plugins: writes FILE.sig beside each')
    .argument('<files...>', 'packed plugins (.wasm)')
    .requiredOption('-k, --key <file>', 'the private key')
    .option('--add', 'keep the signatures of other keys that are there')
    .option('--json', 'a line of JSON for each file')
    .addHelpText(
      'after',
      examples(
        'sluice plugin sign level.wasm --key ~/sluice-keys/plant-a.key',
        'sluice plugin sign level.wasm --key ~/sluice-keys/plant-b.key --add',
      ),
    )
    .action(async (files: string[], options: { key: string; add?: boolean; json?: boolean }) =>
      exit(await (await import('./plugin-sign.js')).signPlugins(files, options)),
    );

  plugin
    .command('verify')
    .description('say whether a trusted key vouches for plugins; exit 1 if not for all of them')
    .argument('<files...>', 'packed plugins (.wasm), with FILE.sig beside each')
    .option('-k, --keys <folder>', 'the trusted keys', 'keys')
    .option('--json', 'a line of JSON for each file')
    .addHelpText(
      'after',
      examples(
        'sluice plugin verify plugins/*.wasm',
        'sluice plugin verify level.wasm --keys /etc/sluice/keys',
      ),
    )
    .action(async (files: string[], options: { keys: string; json?: boolean }) =>
      exit(await (await import('./plugin-verify.js')).verifyPlugins(files, options)),
    );
}
