import { writeKeyPair } from '../plugin-tools/key-pair.js';
import { EXIT } from './exit.js';

/** Makes a key to sign plugins with. @throws SluiceError SLUICE_KEY_EXISTS, SLUICE_KEY_INVALID */
export async function makeKeys(options: { out: string; name: string; json?: boolean }): Promise<number> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(options.name)) {
    process.stderr.write(
      'sluice: a --name has letters, digits and . _ - and begins with a letter or digit\n',
    );
    return EXIT.usage;
  }
  const written = await writeKeyPair(options.out, options.name);
  const { id, privateKey, publicKey } = written;
  process.stdout.write(
    options.json
      ? `${JSON.stringify(written)}\n`
      : `${privateKey}  signs plugins; keep it off the gateway, readable by you alone
${publicKey}  goes into the folder of trusted keys of each gateway (plugins.keys, by default keys/ beside sluice.yaml)

The id of the key is ${id}. Next:
  sluice plugin sign FILE --key ${privateKey}
`,
  );
  return EXIT.ok;
}
