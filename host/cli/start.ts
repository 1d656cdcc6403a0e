import { compileSooner, letYoungSpaceGrow } from '../../sandbox/index.js';
import { loadConfig } from '../config/load.js';
import { formatProblem } from '../config/problem.js';
import { Gateway } from '../gateway.js';
import { createLog } from '../telemetry/log.js';
import { pluginNames } from './plugin-names.js';
import { untilSignal } from './signals.js';

/** Runs a gateway from a configuration file until SIGTERM or SIGINT; both end it in order. */
export async function start(options: { config?: string }): Promise<void> {
  // A file that was taken away must not keep the other routes from starting: its route waits, and says so.
  const { config, warnings } = await loadConfig(options.config, { pluginNames, misspelt: 'warning' });
  const log = createLog();
  for (const warning of warnings) {
    // The gateway says itself what it has not started, once it knows what its plugins take.
    if (warning.code !== 'SLUICE_SOURCE_UNUSED') log.warn(formatProblem(warning));
  }
  const gateway = new Gateway(config, { log, announce: text => void process.stderr.write(text) });
  // Listened to before it starts: a service manager may think better of it at any time.
  const ending = new AbortController();
  const signalled = untilSignal().then(signal => {
    log.info(`${signal}: sources stop, what is under way is delivered; a second signal ends at once`);
    ending.abort();
  });
  try {
    await gateway.start(ending.signal);
  } catch (thrown) {
    if (thrown !== ending.signal.reason) throw thrown;
  }
  letYoungSpaceGrow();
  compileSooner();
  await signalled;
  await gateway.stop();
  log.info('stopped');
}
