import { covers } from '../../protocols/mqtt-wire/topic-filter.js';
import type { MqttSinkConfig } from '../../sinks/mqtt/config.js';
import type { Config } from '../config.js';
import type { Origins } from '../origins.js';

type Published = Pick<MqttSinkConfig, 'url' | 'prefix'>;

/** Warns where what a route publishes comes back to it: the sink is at the source's broker, and under its filter. */
export function checkLoops({ sources, sinks, routes, broker }: Config, origins: Origins): void {
  const embedded: Published = { url: `mqtt://${broker.host}:${broker.port}` };
  for (const { from, to, filter } of routes) {
    for (const name of from) {
      const source = sources.get(name)?.mqtt;
      if (source === undefined) continue;
      for (const sink of to.length === 0 ? [undefined] : to) {
        const out = sink === undefined ? embedded : sinks.get(sink)?.mqtt;
        if (out === undefined || addressOf(out.url) !== addressOf(source.url)) continue;
        const index = source.topics.findIndex(topic => comesBack(topic, filter, out.prefix));
        if (index < 0) continue;
        const who = sink === undefined ? 'the embedded broker' : `the sink ${sink}`;
        const unless = out.prefix === undefined ? ', unless a plugin gives each another topic' : '';
        const what = `is for what ${who} publishes on the same broker, too: a frame comes back without end${unless}; give the sink a \`prefix\` that no filter of the source is for`;
        origins.warning(['sources', name, 'mqtt', 'topics', index], what);
      }
    }
  }
}

/** Of a sink without prefix: what was taken by a filter is published under it again. */
function comesBack(
  topic: string,
  filter: readonly string[] | undefined,
  prefix: string | undefined,
): boolean {
  if (topic.startsWith('$SYS/')) return false;
  if (prefix === undefined || prefix === '') return true;
  // The level that the prefix ends in goes on with the topic.
  const published = prefix.endsWith('/') ? `${prefix}#` : `${prefix}x/#`;
  const own = topic.startsWith('$share/') ? topic.split('/').slice(2).join('/') : topic;
  return covers(own, published) && (filter?.some(one => covers(one, published)) ?? true);
}

function addressOf(url: string): string {
  if (!URL.canParse(url)) return '';
  const { protocol, hostname, port } = new URL(url);
  return `${hostname === 'localhost' ? '127.0.0.1' : hostname}:${port || (protocol === 'mqtts:' ? 8883 : 1883)}`;
}
