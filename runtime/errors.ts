/**
 * The one table of coded errors. `sluice errors CODE` prints a row; a test holds that every code used in
 * the tree is in here and that every row has a cause and a remedy.
 */
export interface ErrorRow {
  /** Why it happens. */
  readonly cause: string;
  /** What to do about it. */
  readonly remedy: string;
}

export const ERRORS = {
  SLUICE_NODE_VERSION: {
    cause: 'The program was started on a Node.js older than 24.',
    remedy:
      'Start it through npm (npm start, npx sluice), which finds the Node.js that the package brings, or install Node.js 24 or newer.',
  },
  SLUICE_QUARANTINE_ID: {
    cause:
      'There is no frame with this id in quarantine: it was replayed, thrown away, or made room for newer ones.',
    remedy: 'List what is there with GET /v1/quarantine.',
  },
  SLUICE_QUARANTINE_ROUTE: {
    cause: 'The route that the frame came through is not in the configuration any more.',
    remedy: 'Run its frames with `sluice replay data/quarantine.db --plugin FILE`, or bring the route back.',
  },
  SLUICE_QUARANTINE_FULL: {
    cause: 'The quarantine holds as many frames as it may; the oldest made room for a new one.',
    remedy:
      'Replay or throw away what is in it: GET /v1/quarantine shows the frames, and which plugin failed.',
  },
  SLUICE_REPLAY_FILE: {
    cause: 'A file of frames cannot be read, or a frame in it is not of the known form.',
    remedy:
      'Use what GET /v1/quarantine answers, one such frame a line, or the quarantine.db of the data folder.',
  },
  SLUICE_INTERNAL: {
    cause: 'A defect in Sluice itself.',
    remedy: 'Report it with the log lines around it.',
  },

  // Files and admission
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

  // Signatures
  SLUICE_SIGNATURE_MISSING: {
    cause: 'A signature is asked for, and the plugin has none.',
    remedy:
      'Sign it (`sluice plugin sign FILE --key KEY`) and put FILE.sig beside the file, or set `plugins.signatures` to warn or off.',
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

  // What a guest does
  SLUICE_GUEST_LINK: {
    cause: 'The module could not be instantiated.',
    remedy: 'Read the message; `sluice plugin check` shows what the module asks for.',
  },
  SLUICE_GUEST_TRAP: {
    cause: 'The plugin ran into a WebAssembly trap (unreachable, out of bounds, division by zero, ...).',
    remedy:
      'Run the frame through `sluice plugin call` to see the place; the instance was thrown away and a fresh one serves.',
  },
  SLUICE_GUEST_STACK: {
    cause: 'The plugin ran out of stack: endless or very deep recursion.',
    remedy: 'Bound the recursion; the instance was thrown away and a fresh one serves.',
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
    cause: 'The thread that runs the plugin ran out of heap.',
    remedy: 'The plugin was given a fresh thread. If it happens again, report it with the plugin.',
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

  // Sandbox
  SLUICE_RING_PUBLISHED: {
    cause: 'A slab was written after publish() gave it away.',
    remedy: 'A defect in Sluice: report it.',
  },
  SLUICE_RING_ACKED: {
    cause: 'A slab was read after ack() gave its memory back.',
    remedy: 'A defect in Sluice: report it.',
  },
  SLUICE_FRAME_TOO_LARGE: {
    cause: 'A frame is larger than the largest slab.',
    remedy: 'Split it at the source, or raise `limits.frame`.',
  },
  SLUICE_SANDBOX_LIMIT: {
    cause: 'Every sandbox thread that is allowed is in use.',
    remedy: 'Raise `plugins.sandboxes`, or use fewer plugins.',
  },
  SLUICE_SANDBOX_START: {
    cause: 'A sandbox thread ended before it could serve.',
    remedy: 'Read the message; check the memory of the machine.',
  },

  SLUICE_LEAKED: {
    cause:
      'Something that has to be closed was forgotten, and found when its memory was collected; it is closed now.',
    remedy:
      'Nothing is lost. It is a mistake in the program: report it with the line, which says where the thing was made.',
  },

  // Configuration
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

  // Admin API
  SLUICE_ADMIN_EXPOSED: {
    cause:
      'The admin API is to listen on an address that other machines reach, and no token is configured for it.',
    remedy:
      'Set `admin.token` (a reference to a file or a variable keeps it out of the configuration), or leave `admin.host` at 127.0.0.1.',
  },
  SLUICE_ADMIN_TOKEN: {
    cause: 'A request for /v1 carried no token, or a wrong one.',
    remedy:
      'Send `Authorization: Bearer TOKEN`. The token is `admin.token` of the configuration, else the text of the file admin-token in the data folder.',
  },
  SLUICE_ADMIN_TOKEN_FILE: {
    cause: 'The file admin-token in the data folder could not be written or read, or holds no token.',
    remedy:
      'Check the rights of the data folder, delete the file so that a new one is made, or set `admin.token`.',
  },
  SLUICE_ADMIN_HOST: {
    cause: 'The Host header of a request names another machine, as after DNS rebinding.',
    remedy: 'Ask by address, by localhost, or by the name in `admin.host`.',
  },
  SLUICE_ADMIN_ORIGIN: {
    cause: 'The request comes from a page of another origin.',
    remedy: 'Use a client that is no web page of another server, such as curl.',
  },
  SLUICE_ADMIN_PATH: {
    cause: 'There is nothing under this path.',
    remedy: 'GET /openapi.json lists all paths.',
  },
  SLUICE_ADMIN_PLUGIN: {
    cause: 'There is no plugin of this name.',
    remedy: 'GET /v1/plugins lists those that there are.',
  },
  SLUICE_ADMIN_METHOD: {
    cause: 'What is under this path does not take this method.',
    remedy: 'The Allow header of the answer names those that it takes.',
  },
  SLUICE_ADMIN_TYPE: {
    cause: 'The body of a request is of a type that is not taken here.',
    remedy:
      'Send a plugin with `Content-Type: application/wasm`, a policy with `application/yaml` or `application/json`; other requests have no body.',
  },
  SLUICE_ADMIN_ENCODING: {
    cause: 'The body of a request is coded in a way that is not undone here, or not as its header says.',
    remedy: 'Send it as it is, or with `Content-Encoding: gzip`.',
  },
  SLUICE_ADMIN_REQUEST: {
    cause: 'A request is malformed, or its body ended early.',
    remedy: 'Read the message and send it again.',
  },
  SLUICE_ADMIN_UPLOADS_OFF: {
    cause: 'Uploads are off, as they are by default.',
    remedy: 'Set `admin: { uploads: true }` in the configuration, or copy the file into the plugin folder.',
  },
  SLUICE_ADMIN_NAME: {
    cause: 'The plugin that was uploaded has another name in its manifest than in the path.',
    remedy: 'Upload it under the name in its manifest.',
  },
  SLUICE_ADMIN_NO_PREVIOUS: {
    cause: 'No version before the present one of this plugin is kept.',
    remedy:
      'Upload the version that is wanted. One version back is kept, of plugins that carry their manifest.',
  },
  SLUICE_ADMIN_BUSY: {
    cause: 'Too many changes or event streams are under way at once.',
    remedy: 'Wait for those that are under way, or close event streams that nobody reads.',
  },
  SLUICE_ADMIN_STORE: {
    cause: 'A file of the plugin folder or the data folder could not be written.',
    remedy: 'Read the message; check the rights and the space of `plugins.dir` and `data.dir`.',
  },

  // Durable data
  SLUICE_DATA_LOCKED: {
    cause: 'Another gateway is running on the same data folder.',
    remedy:
      'Stop the process that the message names, or give this gateway a `data.dir` of its own. The lock ends with its process: there is nothing to delete.',
  },
  SLUICE_DATA_FORMAT: {
    cause: 'The data folder is of a newer version of Sluice, or its gateway.json is damaged.',
    remedy:
      'Use the version that wrote it, or set another `data.dir`. Where gateway.json is damaged, move it away: a new one is made, and message ids begin anew under a new name.',
  },
  SLUICE_DATA_FOLDER: {
    cause: 'The data folder could not be made, read or written.',
    remedy: 'Check `data.dir` in the configuration, its rights and the space on its disk.',
  },
  SLUICE_STORE_FULL: {
    cause: 'The disk of the data folder is full, or `data.max` is reached.',
    remedy:
      'Make room on the disk or raise `data.max`. Nothing that was acknowledged is lost; writing goes on by itself as soon as there is room.',
  },
  SLUICE_STORE_FAILED: {
    cause: 'A file in the data folder could not be read or written.',
    remedy: 'Read the message; check the disk and the rights of `data.dir`. It is tried again.',
  },
  SLUICE_STORE_DAMAGED: {
    cause: 'A file in the data folder is damaged, as after a failing disk or card.',
    remedy:
      'The file was renamed as the message says and can be looked into with `sqlite3 FILE .recover`. The gateway goes on with a new one. Check the disk.',
  },
  SLUICE_STORE_THREAD: {
    cause: 'The thread that writes durable data ended by itself.',
    remedy: 'It was started again and nothing is lost. If it happens again, report it with the message.',
  },
  SLUICE_SPOOL_OLDEST: {
    cause:
      'The spool was full, and the oldest messages, or frames that wait for their plugins, of a route with `whenFull: keep-newest` made room.',
    remedy:
      'Raise `data.max`, or look why the sink is away, or which plugin has its breaker open. They are gone; their number is counted.',
  },
  SLUICE_SPOOL_THINNED: {
    cause:
      'The spool was full, and in the older half of a route with `whenFull: down-sample` every second message, or frame that waits for its plugins, made room.',
    remedy:
      'Raise `data.max`, or look why the sink is away, or which plugin has its breaker open. They are gone; their number is counted.',
  },
  SLUICE_SPOOL_LOST: {
    cause: 'Messages that were in the spool could not be read back: the file was damaged.',
    remedy: 'Check the disk. A damaged file is kept beside spool.db and can be looked into.',
  },
  SLUICE_SPOOL_UNCLAIMED: {
    cause:
      'Messages wait in the spool for a sink that the configuration does not name, or that has no spool; or frames for the plugins of a route that it does not name.',
    remedy:
      'Configure the sink, or the route, again under that name, and they go out. To give them up, delete spool.db from the data folder while the gateway is stopped.',
  },
  SLUICE_SPOOL_QUEUES: {
    cause: 'There are more pairs of a sink and a source than the spool can keep apart.',
    remedy: 'Use fewer sinks a route. What comes from these sources is not put down while the sink is away.',
  },

  // Sources and sinks
  SLUICE_LISTEN_IN_USE: {
    cause: 'Another program already listens on this address and port.',
    remedy: 'Stop it, or choose another port in the configuration.',
  },
  SLUICE_LISTEN_FAILED: {
    cause: 'The address could not be listened on.',
    remedy:
      'Check that the address belongs to this machine and that the port may be used: below 1024 a service needs the right to it (CAP_NET_BIND_SERVICE).',
  },
  SLUICE_SOURCE_DISCONNECTED: {
    cause:
      'The connection to a device is closed or could not be opened. Of a source that listens: who sent went away in the middle of a frame or of a request.',
    remedy:
      'Check power, cable and address of the device (or that the broker runs, and that no other client has the same `clientId`); the gateway keeps trying, with back-off. A sender has to connect and to send again.',
  },
  SLUICE_SOURCE_TIMEOUT: {
    cause:
      'A device did not answer in time. Of a source that listens: who connected did not say who it is, or did not send the rest of a frame or of a request, in time.',
    remedy:
      'Check the unit id and the load of the device, or raise `timeout` of the source. Of a sender: check that it sends each frame or request without a pause.',
  },
  SLUICE_SOURCE_PROTOCOL: {
    cause: 'A device sent bytes that break the protocol.',
    remedy: 'Check that the port speaks the configured protocol; the connection is opened anew.',
  },
  SLUICE_SOURCE_BACKPRESSURE: {
    cause:
      'A poll was skipped, or a device that sends was told to come again, because the route behind it is full.',
    remedy: 'Look for the sink that is slow or away, or poll less often.',
  },
  SLUICE_ROUTE_FULL: {
    cause: 'One of several routes of a polled source was full, so a frame went to the other routes only.',
    remedy: 'Look at that route: its plugin hangs or is slow, or its sink is away. The log names it.',
  },
  SLUICE_SOURCE_OVERRUN: {
    cause:
      'A poll was skipped because the one before it is still under way, or what is observed changed again before all its blocks were read.',
    remedy: 'Poll less often, or raise the number of requests in flight if the device allows it.',
  },
  SLUICE_SOURCE_LATE: {
    cause: "The gateway's own loop was late: a whole period of a poll went by before it was looked at.",
    remedy: 'Poll less often, or give the gateway more processor time.',
  },
  SLUICE_SOURCE_REFUSED: {
    cause:
      'A southbound system refused the connection, a topic filter that was subscribed to, or over CoAP a path that was read or observed.',
    remedy:
      'Read the reason code: credentials and topic rights are the usual ones; over CoAP 4.04 says that there is no such path, a reset that nobody serves there.',
  },
  SLUICE_SOURCE_VERSION: {
    cause:
      'The broker does not speak MQTT 5.0. The source goes on with MQTT 3.1.1, which carries no content type and no user properties.',
    remedy:
      'Set `version: 4` for the source to make it the rule, or use a broker that speaks MQTT 5.0. With 3.1.1 a `clientId` is needed for a session that outlives a connection.',
  },
  SLUICE_SOURCE_SESSION: {
    cause:
      'The broker keeps no session for the source: what was published while the connection was away does not come.',
    remedy:
      'Set a `clientId` for the source, and let the broker keep its sessions (persistence, session expiry).',
  },
  SLUICE_SOURCE_QOS: {
    cause: 'A source gets another quality of service than the one that was asked for.',
    remedy: 'Change the limits of the broker, or ask for less: `qos`.',
  },
  SLUICE_BROKER_REFUSED: {
    cause:
      'The embedded broker turned a client away or cut it off: connections, password, TLS, what it sent, or how slowly.',
    remedy:
      'Look at what the message says of the client. Ceilings and users stand under `broker`; the broker speaks MQTT 3.1.1 only.',
  },
  SLUICE_SOURCE_STALE: {
    cause: 'A source has brought no data for longer than its `staleAfter`, whatever its connection says.',
    remedy:
      'Look at the devices, the network between, and (MQTT) who publishes. If such pauses are usual, raise `staleAfter` of the source, or set it to `never`.',
  },
  SLUICE_SOURCE_UNROUTED: {
    cause:
      'No route of the source has a filter for the topic of a frame. The frame was left out, and acknowledged.',
    remedy:
      'Give a route a `filter` for the topic (`filter: "#"` takes what is left), or have the source subscribe to less.',
  },
  SLUICE_SOURCE_MESSAGE: {
    cause: 'A message has a topic or a property that is not text: empty, not UTF-8, a NUL, or a wildcard.',
    remedy: 'Correct the publisher. The message was acknowledged and left out.',
  },
  SLUICE_SOURCE_REQUEST: {
    cause:
      'A device asked for something that is not taken: over Modbus another function than 5, 6, 15 and 16, a quantity, address or unit out of range; over HTTP or CoAP another path, method, coding or body. It was answered with the reason.',
    remedy:
      'The message says which. Correct the device, or the settings of this source (`units`, `coils`, `holding` of `listen`).',
  },
  SLUICE_SOURCE_UNCONFIRMED: {
    cause:
      'A write of a device was taken, and the device did not hear in time that it is safe. It comes again as a rule, so the same may arrive twice.',
    remedy:
      'Look for the sink that is slow or away, or raise `timeout` of the source and the time that the device waits.',
  },
  SLUICE_SOURCE_IDLE: {
    cause: 'The connection of a device was closed because it had been silent for long.',
    remedy:
      'None is needed if the device connects again by itself. Else raise `idle` (Modbus) or `keepAlive` (tunnel) of the source.',
  },
  SLUICE_SOURCE_CONNECTIONS: {
    cause:
      'More devices wanted to be connected at once than the source takes, in all or from one address; or, over CoAP, to observe.',
    remedy:
      'Raise `connections` or `connectionsPerPeer` of the source, or look for a device that opens connections and does not close them.',
  },
  SLUICE_SOURCE_CHECKSUM: {
    cause: 'A frame came with a check (CRC-32C) that does not fit its bytes.',
    remedy:
      'The connection is opened anew and the frame comes again. If it happens often, look at what lies between: cables, radio, a program that changes bytes.',
  },
  SLUICE_SOURCE_GAP: {
    cause: 'A client left out numbers of its sequence: it sent out of order, or gave up frames of its own.',
    remedy:
      'Where it sent out of order, correct the client. Where it gave frames up its own memory was full: give it more, or look why it was cut off for so long.',
  },
  SLUICE_SOURCE_REPEATED: {
    cause: 'A client or device sent again what had been taken already; it was left out.',
    remedy: 'None is needed: it did not hear the answer to the first time.',
  },
  SLUICE_SOURCE_REPLACED: {
    cause: 'A client connected again under the same client id, so its older connection was closed.',
    remedy:
      'None is needed after a lost connection. If it goes on, two clients use the same id: give each its own.',
  },
  SLUICE_SOURCE_TOKEN: {
    cause: 'Who wanted to send to a source did not show the right token.',
    remedy: 'Give the client the `token` of the source in the configuration.',
  },
  SLUICE_SOURCE_UNASKED: {
    cause:
      'A CoAP datagram came that answers nothing that was asked: from another address, under another token or message id. It was left out.',
    remedy:
      'One now and then is a late answer. If it goes on, look who sends from that address: the message says it. Somebody may try to pass for the device.',
  },
  SLUICE_SOURCE_RATE: {
    cause: 'Somebody sent faster than `rate` of the source allows.',
    remedy:
      'Raise `rate`, or have it send less. The message or the metric of the source says what became of it.',
  },
  SLUICE_SOURCE_AMPLIFICATION: {
    cause:
      'An answer over UDP was not sent: it would have been more than three times what came from an address that has not shown that it is there, and the sender of a datagram can be made up.',
    remedy:
      'None as a rule. A device that reads large resources has to ask for small blocks, to send back the Echo option that it got with 4.01 (RFC 9175), or to acknowledge two messages first.',
  },
  SLUICE_SOURCE_UNACKNOWLEDGED: {
    cause:
      'An answer or notification over CoAP was given up: nobody acknowledged it, or too many waited for that already.',
    remedy:
      'Look whether the device or observer is still there; it is no observer any more and has to ask again.',
  },
  SLUICE_SOURCE_MEMORY: {
    cause:
      'What has not come whole or waits for its answer, over all connections of a source, needed more than its `memory`; over CoAP the oldest makes room.',
    remedy: 'Raise `memory` of the source, or allow fewer connections or smaller frames.',
  },
  SLUICE_SOURCE_TLS: {
    cause: 'A TLS handshake with a client failed.',
    remedy:
      'Read the reason: a client that speaks no TLS, does not trust our certificate, or has none of an authority that `tls.ca` names.',
  },
  SLUICE_TLS_CERTIFICATE: {
    cause:
      'The certificate files of a source cannot be used: not there, no PEM, or they do not fit each other.',
    remedy:
      'Correct the files that the message names. They are looked at again every few seconds; until then the certificate before serves on.',
  },
  SLUICE_SINK_DISCONNECTED: {
    cause: 'The connection to a northbound system is closed or could not be opened.',
    remedy:
      'Check address, credentials and state of the broker; the gateway keeps trying. Meanwhile messages go to the spool or, where a sink has none, wait in its window.',
  },
  SLUICE_SINK_PROTOCOL: {
    cause: 'A northbound system sent bytes that break the protocol.',
    remedy: 'Check that the address is that of an MQTT broker of the configured version.',
  },
  SLUICE_SINK_REFUSED: {
    cause: 'A northbound system refused the connection or a message.',
    remedy: 'Read the reason code: credentials, topic rights and the packet size are the usual ones.',
  },
  SLUICE_SINK_HANGUP: {
    cause:
      'The broker closed the connection several times right after one message, while no other was on its way. The message was left out.',
    remedy:
      'Look into the log of the broker: rights on the topic and the size of the message are the usual reasons.',
  },
  SLUICE_SINK_TOPIC: {
    cause:
      'A plugin returned a topic that cannot be published to (empty, too long, a wildcard, a NUL, or not UTF-8).',
    remedy:
      'Correct the plugin behind the source that the id of the message names (GATEWAY/SOURCE/...): a topic to publish to has no + or # in it.',
  },
  SLUICE_SINK_TOO_LARGE: {
    cause: 'A message is larger than the broker or the window of the sink allows.',
    remedy: "Make the message smaller, or raise the broker's maximum packet size.",
  },
  SLUICE_SINK_VERSION: {
    cause:
      'The broker does not speak MQTT 5.0. The sink goes on with MQTT 3.1.1, without content type and properties.',
    remedy:
      'Nothing is lost. Set `version: 4` for the sink to make it the rule, or use a broker that speaks MQTT 5.0.',
  },
  SLUICE_SINK_PROPERTY: {
    cause:
      'A plugin returned a content type or property that MQTT 5.0 cannot carry (too long, a control character, or not UTF-8).',
    remedy: 'Correct the plugin: one such string would make the broker close the connection.',
  },
  SLUICE_SINK_ABANDONED: {
    cause: 'The gateway was stopped while the northbound system was away.',
    remedy:
      'What was not confirmed is counted here. Start the gateway again: sources that keep their data send it again.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

/** The life-cycle step at which a plugin failed. */
export type Step =
  | 'admit'
  | 'compile'
  /** The manifest's test vectors, and frames of before, before it may serve. */
  | 'vectors'
  | 'shadow'
  | 'link'
  | 'start'
  | 'configure'
  | 'run'
  | 'flush'
  | 'export-state'
  | 'import-state';

/** One thing about a module or an HTTP message that a policy does not allow. */
export interface Finding {
  readonly code: ErrorCode;
  /** Version of the policy. */
  readonly policy: number;
  /** The line that forbids it: its path and what it says, such as `policy.simd: integer`. */
  readonly rule: string;
  /** What was found, such as `f32x4.mul`. */
  readonly found: string;
  /** How often this rule is broken; the findings of one rule may be fewer. */
  readonly total: number;
  /** What the rule says, as a sentence. */
  readonly why: string;
  /** What to do about it. */
  readonly fix: string;
  /** Of an instruction its name. */
  readonly opcode?: string;
  /** Byte from the start of the file. */
  readonly offset?: number;
  /** Index of the function, imported ones counted. */
  readonly function?: number;
  /** Name of the function, where the file tells it. */
  readonly name?: string;
}

/** A coded failure as plain data: crosses threads without losing its code. */
export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
  readonly step?: Step;
  /** Name of the plugin, where one is concerned. */
  readonly plugin?: string;
  /** What a policy does not allow, where that is the reason. */
  readonly findings?: readonly Finding[];
}

/** An error with a code of the table. Its message says what, where and why; the remedy is in the table. */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly step: Step | undefined;
  readonly plugin: string | undefined;
  readonly findings: readonly Finding[] | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    where: { step?: Step; plugin?: string; findings?: readonly Finding[]; cause?: unknown } = {},
  ) {
    super(message, where.cause === undefined ? undefined : { cause: where.cause });
    this.name = 'SluiceError';
    this.code = code;
    this.step = where.step;
    this.plugin = where.plugin;
    this.findings = where.findings;
  }

  get remedy(): string {
    return ERRORS[this.code].remedy;
  }

  toFault(): Fault {
    return {
      code: this.code,
      message: this.message,
      ...(this.step === undefined ? {} : { step: this.step }),
      ...(this.plugin === undefined ? {} : { plugin: this.plugin }),
      ...(this.findings === undefined ? {} : { findings: this.findings }),
    };
  }

  static fromFault(fault: Fault): SluiceError {
    return new SluiceError(fault.code, fault.message, {
      ...(fault.step === undefined ? {} : { step: fault.step }),
      ...(fault.plugin === undefined ? {} : { plugin: fault.plugin }),
      ...(fault.findings === undefined ? {} : { findings: fault.findings }),
    });
  }
}

/** Any thrown value as a coded fault; what carries no code becomes SLUICE_INTERNAL. */
export function faultOf(thrown: unknown): Fault {
  if (thrown instanceof SluiceError) return thrown.toFault();
  return { code: 'SLUICE_INTERNAL', message: thrown instanceof Error ? thrown.message : String(thrown) };
}
