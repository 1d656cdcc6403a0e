import { runTogether } from '../support/run-together.js';

await runTogether('host/{config,protocols,mqtt,telemetry,sources,sinks}/**/*.test.js');
