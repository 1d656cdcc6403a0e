import type { ErrorRow } from './error-row.js';

/** What a plugin does when it is called. */
export const GUEST_ERRORS = {
  SLUICE_GUEST_LINK: {
    cause: 'The module could not be instantiated.',
    remedy: 'Read the message; `sluice plugin check` shows what the module asks for.',
  },
  SLUICE_GUEST_TRAP: {
    cause: 'The plugin ran into a WebAssembly trap (unreachable, out of bounds, division by zero, ...).',
    remedy:
      'Mend the plugin, and try it on the same frame: `sluice plugin call --hex`, or `sluice replay` for those in quarantine.',
  },
  SLUICE_GUEST_STACK: {
    cause: 'The plugin ran out of stack: endless or very deep recursion.',
    remedy:
      'In the plugin, bound the recursion: refuse what nests too deep, or walk it with a loop and a stack in memory.',
  },
  SLUICE_GUEST_DEADLINE: {
    cause: 'A call into the plugin took longer than its deadline and was killed.',
    remedy:
      'Make the plugin faster, or raise `deadline` for it in the configuration; for its start and its first call `plugins.startDeadline`.',
  },
  SLUICE_GUEST_MEMORY: {
    cause: 'The plugin had no memory for its input or output within its cap.',
    remedy: 'Raise `plugins.memory`, or make the plugin need less.',
  },
  SLUICE_GUEST_RESULT: {
    cause:
      'What the plugin returned breaks the contract: a pointer or length outside its arena, a wrong number of results, or a value out of range.',
    remedy:
      'The message names the field. Copy constants into the arena and return exactly one result for each frame.',
  },
  SLUICE_GUEST_OUTPUT: {
    cause: 'The plugin returned more bytes for one batch than `limits.output` allows.',
    remedy: 'Return less, or raise `limits.output` in the manifest and the configuration.',
  },
  SLUICE_GUEST_CONFIG: {
    cause: 'The plugin refused its configuration.',
    remedy: 'Read its message and correct `config` for this plugin in the route.',
  },
  SLUICE_STATE_REFUSED: {
    cause:
      'A fresh instance of the plugin did not take the state of the one before it, or failed or hung over it. It goes on from an older state where there is one, else without.',
    remedy:
      'The message names the version of the form. Let the new plugin read what the old one writes, if what it remembers must go on.',
  },
  SLUICE_STATE_RESTORED: {
    cause:
      'After a fault a fresh instance of a plugin that has a state goes on from its last snapshot, or without one: what it remembered of the batches since then is gone.',
    remedy: 'Mend the fault. `plugins.snapshotEvery` says how many batches lie between two snapshots.',
  },
  SLUICE_STATE_EXPORT: {
    cause:
      'The plugin failed or hung in `export-state`. It serves on, and no more snapshots of it are taken.',
    remedy:
      'Mend its export-state: until then a fault or a reload takes it back to the last snapshot, or to its beginning.',
  },
  SLUICE_GUEST_SLOW: {
    cause: 'Batches took most of the time that their calls may take; a little more, and they are killed.',
    remedy:
      'Make the plugin faster, or raise `deadline` for it in the configuration. Look at the load of the machine first.',
  },
  SLUICE_GUEST_FLAKY: {
    cause:
      'A call failed, and each of its frames went through by itself on a fresh instance: no frame is to blame.',
    remedy:
      'Nothing is lost. The plugin fails now and then, over what it remembers or over all frames together: the message has the code of the fault.',
  },
  SLUICE_GUEST_HEAP: {
    cause:
      'The thread that runs the plugin ran out of heap: what a component gives back for a batch becomes objects there, in 32 MiB.',
    remedy:
      'The plugin was given a fresh thread, and the frames of the batch are run one by one. Let it give fewer messages or properties for a frame, or build it as a core module, whose results stay in its own memory.',
  },
  SLUICE_CONVERT_MALFORMED: {
    cause: 'The plugin says that the bytes of the frame do not follow the protocol.',
    remedy: 'Check the device and the wiring; look at the frame in the log.',
  },
  SLUICE_CONVERT_UNSUPPORTED: {
    cause: 'The plugin does not handle this kind of frame.',
    remedy: 'Choose another plugin for this source, or leave the frame out of the poll list.',
  },
  SLUICE_CONVERT_RANGE: {
    cause: 'A value in the frame lies outside what the plugin is configured for.',
    remedy: "Compare the plugin's configuration (tags, first register) with what the device sends.",
  },
  SLUICE_CONVERT_DEVICE: {
    cause: 'The device itself answered with an error, which the plugin passed on.',
    remedy:
      'Read the message: a Modbus exception names its code. Check address, unit and function of the poll.',
  },
  SLUICE_CONVERT_INTERNAL: {
    cause: 'The plugin reported an internal error for this frame.',
    remedy: 'Read its message; report it to the author of the plugin.',
  },
  SLUICE_KERNEL_ERRNO: {
    cause: 'A kernel refused a block with an errno.',
    remedy: 'The message names the errno: EINVAL is rate, channels or format, ENOSPC the size of the output.',
  },
  SLUICE_BREAKER_OPEN: {
    cause:
      'The plugin failed too often, or was too slow, so it is not called any more: its circuit breaker is open. What becomes of its frames is set by `whenOpen`.',
    remedy:
      'The line that tells of the opening names the last fault. It is tried again by itself, unless it opened five times in ten minutes. A corrected file closes it at once; so does POST /v1/plugins/NAME/reset.',
  },
} as const satisfies Readonly<Record<string, ErrorRow>>;
