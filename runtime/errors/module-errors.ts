import type { ErrorRow } from './error-row.js';

/** What is wrong with a file before it runs: its bytes, its manifest, what a policy says of it. */
export const MODULE_ERRORS = {
  SLUICE_MODULE_UNREADABLE: {
    cause: 'The file could not be read.',
    remedy: 'Check that it is a regular file inside the plugin folder and that the gateway may read it.',
  },
  SLUICE_MODULE_TOO_LARGE: {
    cause: 'The file is larger than the ceiling for a plugin.',
    remedy: 'Strip debug information and embedded data from the module.',
  },
  SLUICE_MODULE_NOT_WASM: {
    cause: 'The file does not begin with the WebAssembly magic number and a known version.',
    remedy: 'Check what was copied: it has to be a .wasm module (version 1) or component.',
  },
  SLUICE_MODULE_MALFORMED: {
    cause:
      'The bytes break the structure of a WebAssembly module: a section is truncated, out of order, or its sizes do not add up.',
    remedy: 'Copy the file again; if that does not help, build it again.',
  },
  SLUICE_MODULE_HASH: {
    cause: "The manifest's sha256 does not match the bytes before it: the file is damaged or incomplete.",
    remedy: 'Copy the file again, or pack it again with `sluice plugin pack`.',
  },
  SLUICE_MODULE_IMPORT: {
    cause: 'The module imports something other than the one function of the contract, `log`.',
    remedy: 'Build without WASI and without host calls (AssemblyScript: no console, Date or Math.random).',
  },
  SLUICE_MODULE_EXPORT: {
    cause: 'An export that the contract asks for is missing or has another type.',
    remedy:
      'Build against runtime/plugin.wit through one of the SDKs; `sluice plugin check` lists the exports.',
  },
  SLUICE_MODULE_FEATURE: {
    cause: 'The module uses a WebAssembly feature that the policy does not allow, or that no policy can.',
    remedy:
      'Build without it, or allow it for this plugin in the place that the message names. Shared and 64-bit memory, several memories, garbage collection, tail calls and wide arithmetic cannot be allowed.',
  },
  SLUICE_MODULE_OPCODE: {
    cause: 'The module holds a vector instruction that the policy does not allow, be it called or not.',
    remedy:
      'Build without these instructions, or allow them for this plugin in the place that the message names (`simd`). `sluice plugin check` lists every place.',
  },
  SLUICE_MODULE_CEILING: {
    cause:
      'The module has more of something (types, functions, locals, nested blocks, data, ...) than the scanner takes, or than the policy allows.',
    remedy:
      'The message names what, how many and the ceiling. If the module was built so by a compiler, split it, or raise the ceiling in the place that the message names; else it is damaged: copy it again.',
  },
  SLUICE_MODULE_MEMORY: {
    cause: 'The module declares more memory than it is granted.',
    remedy:
      'Lower the initial memory of the module, or raise what the message names: the grant of the plugin, `plugins.memory` for all, or `limits.memory` of its manifest.',
  },
  SLUICE_MODULE_TABLE: {
    cause: 'The module declares a table with more entries than a plugin may have, or more tables.',
    remedy: 'Build with a smaller table or fewer, or raise the ceiling in the place that the message names.',
  },
  SLUICE_MODULE_COMPILE: {
    cause: 'The WebAssembly compiler refused the module.',
    remedy: 'Read the message: it names the function and the offset. Build the module again.',
  },
  SLUICE_COMPONENT_NAME: {
    cause:
      'A core module inside a component imports or exports something under a name that could turn into code in the script that runs components.',
    remedy: 'Rename it: letters, digits and the signs _ $ . : @ / | # [ ] + , = % ~ - and space are taken.',
  },
  SLUICE_COMPONENT_TOOLS: {
    cause:
      'The file is a component, and the package that turns components into core modules is not installed.',
    remedy: 'Run `npm i @bytecodealliance/jco-transpile@0.15.0`, or ship a core module.',
  },
  SLUICE_COMPONENT_TRANSPILE: {
    cause: 'The component could not be turned into core modules.',
    remedy:
      'Read the message; check that the component is of a world in runtime/plugin.wit and imports nothing but log.',
  },
  SLUICE_MANIFEST_MISSING: {
    cause: 'The module carries no `sluice:manifest` section and there is no NAME.json beside it.',
    remedy: 'Run `sluice plugin pack`, or put a manifest beside the file.',
  },
  SLUICE_MANIFEST_INVALID: {
    cause: 'The manifest is not JSON or a field is missing or of the wrong type.',
    remedy:
      'Correct the named field and pack the plugin again. A file is packed once: to pack with another manifest, take the module as the compiler wrote it.',
  },
  SLUICE_POLICY_INVALID: {
    cause: 'The file of the policy cannot be read or says something that no policy may say.',
    remedy: 'Correct the named line. The policy before it stays in force until then.',
  },
  SLUICE_POLICY_NO_FILE: {
    cause:
      'The policy stands in the configuration (or nobody has written one), which the API does not write.',
    remedy:
      'Put it into a file of its own (GET /v1/policy shows all of it) and name that: `plugins: { policy: ./policy.yaml }`; or change the configuration and start the gateway again.',
  },
  SLUICE_HEADER_REQUEST: {
    cause: 'An HTTP request about a plugin has a header, or a value of one, that the policy does not allow.',
    remedy: 'Send it without, or allow it in the place that the message names (`headers.request`).',
  },
  SLUICE_HEADER_RESPONSE: {
    cause:
      'An HTTP response about a plugin has a header, or a value of one, that the policy does not allow. The response was dropped.',
    remedy: 'Correct the server, or allow it in the place that the message names (`headers.response`).',
  },
  SLUICE_CHAIN_PORTS: {
    cause:
      'Two neighbours in `through` do not fit each other: what the one gives (bytes, samples, windows, spectra; size, channels, rate) is not what the other one takes.',
    remedy:
      'The message names both plugins and what to put in between; what each plugin takes and gives is in cpp-kernels/plugins/README.md.',
  },
  SLUICE_ABI_UNSUPPORTED: {
    cause: 'The plugin was built for a version of the contract that this gateway does not run.',
    remedy: 'Build the plugin against the version of the contract that is named, or update the gateway.',
  },
} as const satisfies Readonly<Record<string, ErrorRow>>;
