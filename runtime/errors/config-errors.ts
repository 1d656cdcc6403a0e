import type { ErrorRow } from './error-row.js';

/** The configuration. */
export const CONFIG_ERRORS = {
  SLUICE_CONFIG_UNREADABLE: {
    cause: 'The configuration file could not be read.',
    remedy: 'Check the path after --config and the rights of the file.',
  },
  SLUICE_CONFIG_SYNTAX: {
    cause: 'The configuration is not valid YAML.',
    remedy: 'Correct the named line; indentation is by spaces.',
  },
  SLUICE_CONFIG_INVALID: {
    cause: 'A setting is unknown, missing, or of the wrong type.',
    remedy: 'Correct the named line; `sluice validate FILE` checks the file without starting.',
  },
  SLUICE_CONFIG_SECRET: {
    cause: 'A ${file:...} or ${env:...} reference could not be resolved.',
    remedy: 'Create the file or set the variable.',
  },
} as const satisfies Readonly<Record<string, ErrorRow>>;
