import { isLoopback } from '../../admin/server/loopback.js';
import type { BrokerConfig } from '../../broker/broker-config.js';
import type { Reader } from '../reader.js';
import type { BrokerInput } from '../schema/broker.js';
import { serverTls } from './serve.js';

export function normaliseBroker(input: BrokerInput, read: Reader): BrokerConfig {
  const {
    host = '127.0.0.1',
    tls,
    users,
    token,
    connections,
    connectionsPerPeer,
    rate,
    totalRate,
    subscriptions,
  } = input;
  const closed = users !== undefined || token !== undefined || tls?.ca !== undefined;
  const at = (key: string) => ['broker', key];
  if (!isLoopback(host) && !closed) {
    const what =
      'whoever reaches this address reads every message and can publish, without a password: set `users` or `token`';
    read.warning(at('host'), what);
  } else if (!isLoopback(host) && tls === undefined)
    read.warning(at('host'), 'passwords and messages go over the network in the clear: set `tls`');
  const maxPacket = read.size(input.maxPacket, at('maxPacket'), { least: 1_024, most: 2 ** 28 });
  const memory = read.size(input.memory, at('memory'), { least: 65_536 });
  const kept = read.size(input.kept, at('kept'), { least: 65_536 });
  return {
    host,
    port: input.port ?? (tls === undefined ? 1883 : 8883),
    ...(tls === undefined ? {} : { tls: serverTls(tls, read) }),
    ...(users === undefined ? {} : { users: { ...users } }),
    ...(token === undefined ? {} : { token }),
    ...(connections === undefined ? {} : { connections }),
    ...(connectionsPerPeer === undefined ? {} : { connectionsPerPeer }),
    ...(rate === undefined ? {} : { rate }),
    ...(totalRate === undefined ? {} : { totalRate }),
    ...(maxPacket === undefined ? {} : { maxPacket }),
    ...(memory === undefined ? {} : { memory }),
    ...(kept === undefined ? {} : { kept }),
    ...(subscriptions === undefined ? {} : { subscriptions }),
  };
}
