import assert from 'node:assert/strict';
import { type LoadedConfig, type LoadOptions, readConfig } from '../../../host/config/load.js';
import { ConfigError } from '../../../host/config/problem.js';

/** A source that is right, to put other things beside. */
export const SOURCES = `sources:
  line1: { modbus: { devices: [ { host: 127.0.0.1 } ], poll: [ { holding: 0-11, every: 100ms } ] } }
`;

/** Reads text without looking at the environment of the test run. */
export function read(text: string, options: LoadOptions = {}): Promise<LoadedConfig> {
  return readConfig(text, 'sluice.yaml', { environment: {}, ...options });
}

/** The lines of the error that `text` gives. */
export async function problemsOf(text: string, options: LoadOptions = {}): Promise<string[]> {
  try {
    await read(text, options);
  } catch (thrown) {
    assert.ok(thrown instanceof ConfigError, String(thrown));
    return thrown.message.split('\n');
  }
  return [];
}
