import { Type } from 'typebox';
import { DURATION_PATTERN, SIZE_PATTERN } from '../units.js';

/** Names of sources, sinks, plugins and routes: they stand in topics, metric labels and file names. */
export const NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$';

export interface TextOptions {
  readonly title?: string;
  readonly description?: string;
  readonly pattern?: string;
  readonly maxLength?: number;
  readonly examples?: string[];
}

/** Text that is not empty. */
export function Text(options: TextOptions = {}) {
  return Type.String({ minLength: 1, ...options });
}

/** The title and the examples stand in the error message too. */
export function Duration(description: string) {
  return Type.String({
    pattern: DURATION_PATTERN,
    title: 'duration',
    examples: ['100ms', '2s', '1m'],
    description,
  });
}

export function Size(description: string) {
  return Type.String({
    pattern: SIZE_PATTERN,
    title: 'size',
    examples: ['64KiB', '16MiB', '1GiB'],
    description,
  });
}

/** Back-off between attempts to connect. */
export const Reconnect = Type.Object(
  {
    min: Type.Optional(Duration('First pause. Default 500ms')),
    max: Type.Optional(Duration('Longest pause. Default 30s')),
  },
  {
    additionalProperties: false,
    description: 'Pauses between attempts to connect; they double up to the longest.',
  },
);
