import type { PolicyContent } from '../../runtime/index.js';
import type { BreakerLimits, Probation, WhenOpen } from '../../sandbox/index.js';
import type { BrokerConfig } from '../broker/broker-config.js';
import type { StaleRule } from '../route/age/freshness.js';
import type { MqttSinkConfig } from '../sinks/mqtt/config.js';
import type { CoapConfig } from '../sources/coap/coap-config.js';
import type { CoapClientConfig } from '../sources/coap-client/client-config.js';
import type { HttpConfig } from '../sources/http/http-config.js';
import type { ModbusConfig } from '../sources/modbus/config.js';
import type { ModbusServerConfig } from '../sources/modbus-server/server-config.js';
import type { MqttSourceConfig } from '../sources/mqtt/config.js';
import type { ServerTlsConfig } from '../sources/serve/server-certificate.js';
import type { TunnelConfig } from '../sources/tunnel/tunnel-config.js';
import type { RouteSpool } from '../spool/route-spool.js';

/**
 * What the code may assume: complete, checked, durations in milliseconds and sizes in bytes. What the user may write is
 * `ConfigInput`; normalise.ts is the one place between them.
 */
export interface Config {
  readonly plugins: PluginsConfig;
  readonly sources: ReadonlyMap<string, SourceConfig>;
  /** How old the data of each source may be. */
  readonly stale: ReadonlyMap<string, StaleRule>;
  /** Empty: the embedded broker is the one sink. */
  readonly sinks: ReadonlyMap<string, SinkConfig>;
  /** Of the embedded broker; port 0: any free one. */
  readonly broker: BrokerConfig;
  /** It is started: it is asked for, or there is no sink. */
  readonly bringsBroker: boolean;
  /** Empty: plugins run where their `accepts` fits. */
  readonly routes: readonly RouteConfig[];
  readonly data: { readonly dir: string; readonly maxBytes: number };
  readonly admin: AdminConfig;
}

export interface AdminConfig {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Undefined: one made at random is kept in the data folder. */
  readonly token?: string;
  /** Plugins may be uploaded. */
  readonly uploads: boolean;
  readonly maxUploadBytes: number;
  /** Absent: plain HTTP. */
  readonly tls?: ServerTlsConfig;
}

export interface PluginsConfig {
  /** Absolute. */
  readonly dir: string;
  readonly deadlineMs: number;
  readonly startDeadlineMs: number;
  readonly memoryBytes: number;
  readonly policy: PolicyConfig;
  readonly signatures: 'auto' | 'require' | 'warn' | 'off';
  /** Folder of trusted keys; absolute. */
  readonly keys: string;
  /** Lower versions than the one that served last are taken. */
  readonly downgrade: boolean;
  /** Most sandbox threads. */
  readonly sandboxes: number;
  /** Batches between two snapshots of the plugins that have a state; 0: none. */
  readonly snapshotEvery: number;
  readonly breaker: BreakerConfig;
  readonly probation: Probation;
}

export interface PolicyConfig {
  readonly content: PolicyContent;
  /** Where it stands if that is a file of its own: absolute, with the text that was read. */
  readonly file?: { readonly path: string; readonly text: string };
}

export interface BreakerConfig {
  readonly whenOpen: WhenOpen;
  readonly limits: BreakerLimits;
}

export interface ReconnectConfig {
  readonly minMs: number;
  readonly maxMs: number;
}

/** Every protocol of a source. */
interface Protocols {
  readonly modbus: ModbusConfig;
  /** `modbus` with `listen`. */
  readonly modbusServer: ModbusServerConfig;
  readonly mqtt: MqttSourceConfig;
  readonly tunnel: TunnelConfig;
  readonly http: HttpConfig;
  readonly coap: CoapConfig;
  /** `coap` with `devices`. */
  readonly coapClient: CoapClientConfig;
}

type Only<K extends keyof Protocols> = Pick<Protocols, K> & {
  readonly [Other in Exclude<keyof Protocols, K>]?: undefined;
};

/** One protocol a source; the key says which. */
export type SourceConfig = { [K in keyof Protocols]: Only<K> }[keyof Protocols];

/** One protocol a sink. */
export interface SinkConfig {
  readonly mqtt: MqttSinkConfig;
  /** Undefined: there is none. */
  readonly spool: SinkSpoolConfig | undefined;
}

export interface SinkSpoolConfig {
  /** Most messages a second; Infinity: as many as the sink takes. */
  readonly rate: number;
}

export interface RouteConfig {
  /** Unique. What the user wrote, else the names of its sources. */
  readonly name: string;
  readonly from: readonly string[];
  /** Topic filters; absent: every frame of its sources is for it. */
  readonly filter?: readonly string[];
  readonly through: readonly StepConfig[];
  /** Names of sinks; empty: the embedded broker. */
  readonly to: readonly string[];
  readonly whenOpen: WhenOpen;
  /** What it wants of the spools of its sinks. */
  readonly spool: RouteSpool;
}

export interface StepConfig {
  readonly plugin: string;
  /** JSON, as the plugin gets it. */
  readonly config: string;
  /** Of this place; absent: what the policy grants the plugin. */
  readonly deadlineMs?: number;
}
