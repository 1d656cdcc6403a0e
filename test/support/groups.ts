/**
 * Which test files share a process: to start one and to load the gateway into it takes a second or two, longer than
 * most files of tests. About equally long, since as many processes run at a time as pay. Globs relative to dist/test.
 */
export const GROUPS = {
  'admin-spool': ['host/{admin,route,spool,store}/*.test.js'],
  commands: ['host/{cli,demo}/*.test.js'],
  gateway: ['host/*.test.js', '{faults,chaos}/*.test.js'],
  guests: ['cpp-kernels/!(chain).test.js', '{plugins-wasm,scripts}/*.test.js'],
  protocols: ['host/{config,protocols,telemetry,sources,sinks}/**/*.test.js'],
  'plugins-slots': ['host/plugins/*.test.js', 'sandbox/{slot,state}*.test.js'],
  runtime: ['{runtime,structure}/**/*.test.js'],
  sandbox: ['sandbox/!(slot*|state).test.js', 'cpp-kernels/chain.test.js'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Those in no group: a process each, or a command of its own (package.json). */
export const UNGROUPED = ['{conformance,grouped,peers,long}/*.test.js'] as const;
