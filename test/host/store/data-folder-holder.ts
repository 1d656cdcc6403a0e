import { DataFolder } from '../../../host/store/data-folder.js';
import { createLog } from '../../../host/telemetry/log.js';
import { Reporter } from '../../../host/telemetry/reporter.js';

/** Run by data-folder.test.ts: holds the folder until it is killed. */
await DataFolder.open(process.argv[2] as string, new Reporter(createLog()));
process.stdout.write('held\n');
setInterval(() => {}, 1000);
