/**
 * Which test files share a process: to start one and to load the gateway into it takes a second or two, longer than
 * most files of tests. Their files in test/grouped are numbered, and so started, by the processor time that they take:
 * were a long one the last, it would run alone while the other cores have nothing to do. Globs relative to dist/test.
 */
export const GROUPS = {
  'admin-spool': [
    'host/admin/!(changes|headers|signed|uploads).test.js',
    'host/{route,store}/*.test.js',
    'host/spool/!(sink).test.js',
  ],
  commands: [
    'host/cli/!(author-pages|demo|plugin-build|plugin-new|start).test.js',
    'host/demo/!(live).test.js',
  ],
  gateway: [
    'host/!(gateway-bad-files|gateway-broker|gateway-limits|gateway-modbus-server|gateway-parked|gateway-parked-kill|gateway-plc|gateway-taken-back|gateway-tls|gateway-vibration|policy).test.js',
    '{faults,chaos}/*.test.js',
  ],
  guests: ['cpp-kernels/!(chain).test.js', '{conformance,plugins-wasm,scripts}/*.test.js'],
  'plugins-slots': ['host/plugins/*.test.js', 'sandbox/{slot,state}*.test.js'],
  protocols: ['host/{config,protocols,telemetry,sources,sinks}/**/*.test.js'],
  runtime: ['{runtime,structure}/**/*.test.js'],
  sandbox: ['sandbox/!(slot*|state*).test.js', 'cpp-kernels/chain.test.js'],
  // test/system: programs as a user starts them, plugins as an author builds them, gateways whose
  // plugins and policy an operator changes, and gateways whose peers go wrong.
  authors: ['host/cli/{author-pages,plugin-build,plugin-new}.test.js'],
  changes: [
    'host/policy.test.js',
    'host/admin/{changes,headers,signed,uploads}.test.js',
    'host/spool/sink.test.js',
  ],
  gateways: [
    'host/gateway-{bad-files,broker,limits,modbus-server,parked,parked-kill,plc,taken-back,tls,vibration}.test.js',
  ],
  programs: ['host/cli/{demo,start}.test.js', 'host/demo/live.test.js'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Those in no group: a process each, or a command of its own (package.json). */
export const UNGROUPED = ['{grouped,peers,long,system}/*.test.js'] as const;
