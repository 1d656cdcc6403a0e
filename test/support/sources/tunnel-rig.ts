import type { TestContext } from 'node:test';
import { type Clock, systemClock } from '../../../host/sources/modbus/clock.js';
import type { TunnelConfig } from '../../../host/sources/tunnel/tunnel-config.js';
import { TunnelSource } from '../../../host/sources/tunnel/tunnel-source.js';
import { RecordingIngress } from './recording-ingress.js';

/** A started tunnel source on a port of the system's; stopped when the test ends. */
export async function tunnelScene(
  t: TestContext,
  config: Partial<TunnelConfig> = {},
  clock: Clock = systemClock(),
) {
  const ingress = new RecordingIngress();
  const source = new TunnelSource('plc', { host: '127.0.0.1', port: 0, ...config }, ingress, clock);
  t.after(async () => {
    await source.stop();
    await source.close();
  });
  await source.start();
  return { ingress, source, port: source.port };
}
