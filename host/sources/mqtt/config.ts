import { LIMITS } from '../../../runtime/index.js';
import {
  type FilledConnection,
  fillConnection,
  invalid,
  type MqttConnection,
} from '../../mqtt/connection.js';
import { MAX_STRING } from '../../protocols/mqtt-wire/constants.js';
import { filterDefect } from '../../protocols/mqtt-wire/topic-filter.js';

/** What a user may say about an MQTT source. Defaults are in `fillSource`. */
export interface MqttSourceConfig extends MqttConnection {
  /** Topic filters; `+` and `#` as usual, `$share/GROUP/FILTER` where the broker has it. */
  readonly topics: readonly string[];
  /** What is subscribed with. Default 1. */
  readonly qos?: 0 | 1 | 2 | undefined;
  /** Most messages at QoS 1 and 2 taken and not acknowledged; 1 to 65,535. Default 1,024. */
  readonly window?: number | undefined;
  /** Largest message, bytes of its packet. Default and most: what fits a slab. */
  readonly maxMessage?: number | undefined;
  /** The broker, ours, writes in front of topics who published (`markTopic`). Default false. */
  readonly marksPeers?: boolean | undefined;
  /** How long a 5.0 broker keeps the session of a configured client id. Default one day. */
  readonly sessionExpiryS?: number | undefined;
}

/** What the code may assume. */
export interface FilledSource extends FilledConnection {
  readonly topics: readonly string[];
  readonly qos: 0 | 1 | 2;
  readonly window: number;
  readonly maxMessage: number;
  readonly marksPeers: boolean;
  readonly sessionExpiry: number;
}

/** Half of the largest slab is for the input; the frame's record and its strings need some of it. */
export const LARGEST_MESSAGE = LIMITS.slabMax / 2 - (1 << 20);
const DAY_S = 86_400;
/** A session of a client id made up for this run is only for connections that break. */
const HOUR_S = 3_600;

/** @throws SluiceError SLUICE_CONFIG_INVALID */
export function fillSource(name: string, config: MqttSourceConfig): FilledSource {
  const where = `sources.${name}.mqtt`;
  const connection = fillConnection(where, config);
  if (config.topics.length === 0) throw invalid(where, 'topics', 'names no topic');
  for (const [index, topic] of config.topics.entries()) {
    const defect = filterDefect(topic);
    if (defect !== undefined) throw invalid(where, `topics[${index}]`, defect);
  }
  return {
    ...connection,
    topics: config.topics,
    qos: config.qos ?? 1,
    window: Math.min(Math.max(config.window ?? 1_024, 1), MAX_STRING),
    maxMessage: Math.min(config.maxMessage ?? LARGEST_MESSAGE, LARGEST_MESSAGE),
    marksPeers: config.marksPeers ?? false,
    sessionExpiry: connection.named ? (config.sessionExpiryS ?? DAY_S) : HOUR_S,
  };
}
