import type { ErrorRow } from './error-row.js';

/** Plugins as files of a folder and as source: to build, try, name and swap them. */
export const PLUGIN_ERRORS = {
  SLUICE_PLUGIN_BUILD: {
    cause: 'A plugin could not be built from its source.',
    remedy: "Read the compiler's words in the message; plugin.json names the source.",
  },
  SLUICE_PLUGIN_TOOLS: {
    cause: 'The compiler for the language of a plugin is not installed.',
    remedy: 'Run the npm command in the message in the folder of the plugin.',
  },
  SLUICE_PLUGIN_NAME: {
    cause: 'A name cannot be that of a plugin.',
    remedy: 'Use 1 to 63 lower-case letters, digits and hyphens, the first one a letter or digit.',
  },
  SLUICE_PLUGIN_LANGUAGE: {
    cause: 'There is no scaffold for this language.',
    remedy: 'Choose one of those that the message lists.',
  },
  SLUICE_PLUGIN_EXISTS: {
    cause: 'The folder for a new plugin is there already and is not empty.',
    remedy: 'Choose another name, or another folder with --dir.',
  },
  SLUICE_PLUGIN_VECTORS: {
    cause: 'The test vectors of a plugin cannot be read.',
    remedy: 'Correct the named field; vectors.json of a new plugin (`sluice plugin new`) shows the form.',
  },
  SLUICE_PLUGIN_SELFTEST: {
    cause: 'The plugin does not make of its own test vectors what its manifest says, so it is not let in.',
    remedy:
      'Copy the file again, or build it again; `sluice plugin test FILE` shows every difference. What served before serves on.',
  },
  SLUICE_PLUGIN_ROLLED_BACK: {
    cause:
      'A new version failed within its first frames (`plugins.probation`), so the version before it serves again and runs the frames that it failed on.',
    remedy:
      'The message names the fault; `sluice plugin call` shows it at a frame. Put a corrected file into the folder, or have this one tried again: POST /v1/plugins/NAME/reset.',
  },
  SLUICE_PLUGIN_FOLDER: {
    cause: 'The plugin folder could not be made or read, or is gone.',
    remedy: 'Check `plugins.dir` in the configuration and the rights of the folder and those above it.',
  },
  SLUICE_PLUGIN_NAME_TAKEN: {
    cause: 'Another file in the folder already carries a plugin of this name.',
    remedy: 'Remove one of the two files, or give one another name in its manifest.',
  },
  SLUICE_PLUGIN_UNKNOWN: {
    cause: 'A route names a plugin that is not in the plugin folder.',
    remedy: 'Put the file into the folder, or correct the name in the configuration.',
  },
  SLUICE_PLUGIN_UNUSED: {
    cause: 'No route names the plugin and its `accepts` fits no source, or several.',
    remedy: 'Name it in a route (`through`), or correct `accepts` in its manifest.',
  },
  SLUICE_PLUGIN_DOWNGRADE: {
    cause: 'The version is lower than the one of this plugin that served last.',
    remedy:
      'To go back on purpose: POST /v1/plugins/NAME/rollback, or `plugins: { grants: { NAME: { downgrade: true } } }` in the configuration (`plugins.downgrade` for all). Else give the plugin a higher version.',
  },
} as const satisfies Readonly<Record<string, ErrorRow>>;
