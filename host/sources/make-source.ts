import type { SourceConfig } from '../config/config.js';
import { CoapSource } from './coap/coap-source.js';
import { CoapClient } from './coap-client/coap-client.js';
import type { PolicyInForce } from './http/answers.js';
import { HttpSource } from './http/http-source.js';
import { ModbusSource } from './modbus/modbus-source.js';
import { ModbusServer } from './modbus-server/modbus-server.js';
import { MqttSource } from './mqtt/mqtt-source.js';
import type { Ingress, Source } from './source.js';
import { TunnelSource } from './tunnel/tunnel-source.js';

/** The source that is configured, with its kind: the word that plugins say in `accepts`. @throws SluiceError SLUICE_CONFIG_INVALID, SLUICE_TLS_CERTIFICATE */
export function makeSource(
  name: string,
  config: SourceConfig,
  ingress: Ingress,
  policy: PolicyInForce,
): { readonly source: Source; readonly kind: string } {
  if (config.mqtt !== undefined) return { source: new MqttSource(name, config.mqtt, ingress), kind: 'mqtt' };
  if (config.modbusServer !== undefined) {
    return { source: new ModbusServer(name, config.modbusServer, ingress), kind: 'modbus' };
  }
  if (config.tunnel !== undefined)
    return { source: new TunnelSource(name, config.tunnel, ingress), kind: 'tunnel' };
  if (config.http !== undefined)
    return { source: new HttpSource(name, config.http, ingress, policy), kind: 'http' };
  if (config.coap !== undefined) return { source: new CoapSource(name, config.coap, ingress), kind: 'coap' };
  if (config.coapClient !== undefined)
    return { source: new CoapClient(name, config.coapClient, ingress), kind: 'coap' };
  return { source: new ModbusSource(name, config.modbus, ingress), kind: 'modbus' };
}
