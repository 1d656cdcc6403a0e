import type { ErrorRow } from './error-row.js';

/** Who vouches for a plugin. */
export const SIGNATURE_ERRORS = {
  SLUICE_SIGNATURE_MISSING: {
    cause: 'A signature is asked for, and the plugin has none.',
    remedy:
      'Sign it (`sluice plugin sign FILE --key KEY`) and put FILE.sig beside the file (an upload carries its text in the header Sluice-Signature), or set `plugins.signatures` to warn or off.',
  },
  SLUICE_SIGNATURE_INVALID: {
    cause: 'The text of a signature is not in the form that `sluice plugin sign` writes.',
    remedy: 'Copy the .sig file again, or sign the plugin again.',
  },
  SLUICE_SIGNATURE_MISMATCH: {
    cause:
      'The signature of a trusted key does not fit the bytes of the plugin: one of the two was changed, or they are of different versions.',
    remedy:
      'Copy both again: the file and the .sig that was made of it. If that does not help, do not run the plugin, and ask who signs.',
  },
  SLUICE_SIGNATURE_UNTRUSTED: {
    cause: 'The plugin is signed, but with no key that is trusted here.',
    remedy:
      'If you trust who signed it, put the public key (.pub) into the folder `plugins.keys`; else have it signed with a key that is there.',
  },
  SLUICE_SIGNATURE_REVOKED: {
    cause: 'The plugin is signed with a key that was revoked.',
    remedy: 'Sign it again with a key that is trusted, and put the new .sig beside it.',
  },
  SLUICE_KEY_MISSING: {
    cause:
      'Plugins have to be signed, and there is no key to hold their signatures against: every new file is refused.',
    remedy:
      'Put the public keys (.pub) of those who sign into the folder `plugins.keys`, or set `plugins.signatures` to warn or off.',
  },
  SLUICE_KEY_INVALID: {
    cause:
      'A file does not hold the Ed25519 key that it should, or a list of revoked keys does not hold key ids.',
    remedy:
      'Make keys with `sluice plugin keygen`. The .pub file goes into the folder `plugins.keys`; the .key file stays with who signs.',
  },
  SLUICE_KEY_FOLDER: {
    cause: 'The folder of trusted keys could not be read, so what was known of it before goes on to count.',
    remedy: 'Check `plugins.keys` and the rights of the folder and of what is in it.',
  },
  SLUICE_KEY_EXISTS: {
    cause: 'There is a file of this name already, and a key is never overwritten.',
    remedy: 'Choose another folder with --out or another name with --name.',
  },
} as const satisfies Readonly<Record<string, ErrorRow>>;
