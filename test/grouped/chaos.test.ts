import { runTogether } from '../support/run-together.js';

await runTogether('{chaos,faults}/*.test.js');
