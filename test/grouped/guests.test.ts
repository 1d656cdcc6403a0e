import { runTogether } from '../support/run-together.js';

await runTogether('cpp-kernels/!(chain).test.js', '{plugins-wasm,scripts}/*.test.js');
