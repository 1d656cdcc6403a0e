import { runTogether } from '../support/run-together.js';

await runTogether('host/{config,protocols,telemetry,sources,sinks}/**/*.test.js');
