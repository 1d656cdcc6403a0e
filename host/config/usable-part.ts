import type { Origins } from './origins.js';
import type { ConfigInput } from './schema/schema.js';

/**
 * The sections, sources and sinks in which nothing is wrong, so that what the schema cannot say is checked in them
 * too: all problems are told at once. Routes are checked by name, whatever shape they have.
 */
export function usablePart(value: unknown, origins: Origins): ConfigInput {
  const root = isMap(value) ? value : {};
  const part: Record<string, unknown> = { sources: {}, sinks: {} };
  for (const section of ['plugins', 'broker', 'data', 'admin']) {
    if (isMap(root[section]) && !origins.failedBelow([section])) part[section] = root[section];
  }
  for (const section of ['sources', 'sinks']) {
    const entries = isMap(root[section]) ? Object.entries(root[section]) : [];
    part[section] = Object.fromEntries(entries.filter(([name]) => !origins.failedBelow([section, name])));
  }
  return part as ConfigInput;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
