/** The fields of a manifest, and their check; every refusal names the field. */

import type { Ports } from './chain/ports.js';
import { CONTRACT_VERSION, FAULT_CODES, WORLDS } from './contract.js';
import { SluiceError } from './errors.js';
import { checkAsks, type ManifestAsks } from './manifest-asks.js';
import { checkPortsField } from './manifest-ports.js';
import type { Vector } from './vector.js';

/** The world of plugin.wit that the plugin exports. */
export type PluginKind = keyof typeof WORLDS;

/** What the plugin asks for; of that and of what the operator grants, the smaller counts. */
export interface ManifestLimits {
  /** Linear memory, bytes. */
  readonly memory?: number;
  /** One guest call, milliseconds. */
  readonly deadline?: number;
  /** Output of one batch, bytes. */
  readonly output?: number;
}

/** A manifest as an author writes it (plugin.json) and as a sidecar NAME.json holds it. */
export interface ManifestFields extends ManifestAsks {
  /** `[a-z0-9][a-z0-9-]{0,62}`: the plugin's identity. */
  readonly name: string;
  /** Semantic version of the plugin. */
  readonly version: string;
  /** Version of plugin.wit that it was built against. */
  readonly abi: string;
  readonly kind: PluginKind;
  /** Kinds of source whose frames it converts: `modbus`, `mqtt`, `coap`, `tunnel`, ... */
  readonly accepts: readonly string[];
  readonly limits: ManifestLimits;
  /** What it takes and gives, for the check of a chain. */
  readonly ports?: Ports;
  readonly description?: string;
  /** Self-test: run before a new generation serves. */
  readonly vectors?: readonly Vector[];
  /** What built it, as text. */
  readonly toolchain?: string;
  /** SHA-256 of its source, lower-case hex. */
  readonly source?: string;
}

export interface Manifest extends ManifestFields {
  /** SHA-256 of all bytes in front of the section, lower-case hex. */
  readonly sha256: string;
}

type Fields = Readonly<Record<string, unknown>>;

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;
const HASH = /^[0-9a-f]{64}$/;
/** Semantic versioning 2.0.0, clause 2, 9 and 10; the length is bounded by the caller. */
const SEMVER = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;
const HEX = /^(?:[0-9a-fA-F]{2})*$/;
const LIMITS = ['memory', 'deadline', 'output'] as const;

/** @throws SluiceError SLUICE_MANIFEST_INVALID, SLUICE_ABI_UNSUPPORTED */
export function checkFields(value: unknown): ManifestFields {
  const fields = object(value, 'the manifest');
  const name = text(fields, 'name');
  if (!NAME.test(name))
    invalid(
      'name',
      `${show(name)} is not 1 to 63 lower-case letters, digits and hyphens, the first one no hyphen`,
    );
  const version = semver(fields, 'version');
  const abi = checkAbi(semver(fields, 'abi'));
  const kind = text(fields, 'kind');
  if (!Object.hasOwn(WORLDS, kind)) {
    invalid('kind', `${show(kind)} is not one of ${Object.keys(WORLDS).join(', ')}`);
  }
  return {
    name,
    version,
    abi,
    kind: kind as PluginKind,
    accepts: checkAccepts(fields.accepts),
    limits: checkLimits(fields.limits),
    ...checkAsks(fields),
    ...(fields.ports === undefined ? {} : { ports: checkPortsField(fields.ports) }),
    ...(fields.description === undefined ? {} : { description: text(fields, 'description') }),
    ...(fields.vectors === undefined ? {} : { vectors: checkVectors(fields.vectors) }),
    ...(fields.toolchain === undefined ? {} : { toolchain: text(fields, 'toolchain') }),
    ...(fields.source === undefined ? {} : { source: checkHash(fields, 'source') }),
  };
}

/** A field that holds a SHA-256 in lower-case hex. */
export function checkHash(value: unknown, key: string): string {
  const hash = text(object(value, 'the manifest'), key);
  if (!HASH.test(hash)) invalid(key, 'is not 64 lower-case hex digits');
  return hash;
}

/** Versions in front of the first stable one whose layout is the same. */
const SAME_LAYOUT = [['0', '1']] as const;

/** Only a major version may break the contract. */
function checkAbi(abi: string): string {
  const [major, minor] = abi.split('.');
  const [ourMajor] = CONTRACT_VERSION.split('.');
  if (major === ourMajor || SAME_LAYOUT.some(([one, other]) => major === one && minor === other)) return abi;
  throw new SluiceError(
    'SLUICE_ABI_UNSUPPORTED',
    `manifest: abi ${abi} is not supported; this gateway runs ${ourMajor}.x and 0.1.x`,
  );
}

function checkAccepts(value: unknown): readonly string[] {
  if (!Array.isArray(value)) return invalid('accepts', 'is not a list of texts');
  return value.map((item: unknown, i) => {
    if (typeof item === 'string' && item !== '') return item;
    return invalid(`accepts[${i}]`, 'is not a text of at least one character');
  });
}

function checkLimits(value: unknown): ManifestLimits {
  if (value === undefined) return {};
  const fields = object(value, 'limits');
  const limits: { -readonly [key in (typeof LIMITS)[number]]?: number } = {};
  for (const key of LIMITS) {
    const limit = fields[key];
    if (limit === undefined) continue;
    if (!Number.isSafeInteger(limit) || (limit as number) < 1)
      invalid(`limits.${key}`, 'is not a whole number above 0');
    limits[key] = limit as number;
  }
  return limits;
}

function checkVectors(value: unknown): readonly Vector[] {
  if (!Array.isArray(value)) return invalid('vectors', 'is not a list');
  return value.map((item: unknown, i) => {
    const at = `vectors[${i}]`;
    const vector = object(item, at);
    text(vector, 'name', at);
    const frame = object(vector.frame, `${at}.frame`);
    checkRecord(frame, `${at}.frame`);
    text(frame, 'topic', `${at}.frame`);
    text(frame, 'payload', `${at}.frame`);
    if ((vector.messages === undefined) === (vector.fault === undefined)) {
      invalid(at, 'has to have either messages or fault');
    }
    if (vector.fault !== undefined) {
      const fault = object(vector.fault, `${at}.fault`);
      const code = text(fault, 'code', `${at}.fault`);
      text(fault, 'text', `${at}.fault`);
      if (!FAULT_CODES.some(known => known === code))
        invalid(`${at}.fault.code`, `${show(code)} is not known`);
    } else if (!Array.isArray(vector.messages)) {
      invalid(`${at}.messages`, 'is not a list');
    } else {
      vector.messages.forEach((message: unknown, j) => {
        checkRecord(object(message, `${at}.messages[${j}]`), `${at}.messages[${j}]`);
      });
    }
    return vector as unknown as Vector;
  });
}

/** The fields that a vector's frame and its messages share, all optional. */
function checkRecord(record: Fields, at: string): void {
  for (const key of ['source', 'topic', 'timestamp', 'payload', 'text', 'contentType']) {
    if (record[key] !== undefined) text(record, key, at);
  }
  if (typeof record.timestamp === 'string' && !/^\d{1,19}$/.test(record.timestamp)) {
    invalid(`${at}.timestamp`, 'is not nanoseconds since 1970 as decimal text');
  }
  if (typeof record.payload === 'string' && !HEX.test(record.payload)) invalid(`${at}.payload`, 'is not hex');
  if (record.qos !== undefined && ![0, 1, 2].some(qos => qos === record.qos))
    invalid(`${at}.qos`, 'is not 0, 1 or 2');
  if (record.retain !== undefined && typeof record.retain !== 'boolean')
    invalid(`${at}.retain`, 'is not true or false');
  const pair = (item: unknown): boolean =>
    Array.isArray(item) && item.length === 2 && item.every(part => typeof part === 'string');
  if (
    record.properties !== undefined &&
    !(Array.isArray(record.properties) && record.properties.every(pair))
  ) {
    invalid(`${at}.properties`, 'is not a list of [key, value]');
  }
}

function semver(fields: Fields, key: string): string {
  const version = text(fields, key);
  if (version.length > 64 || !SEMVER.test(version))
    invalid(key, `${show(version)} is not a semantic version such as 1.2.3`);
  return version;
}

function object(value: unknown, at: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return invalid(at, 'is not an object');
  return value as Fields;
}

function text(fields: Fields, key: string, at?: string): string {
  const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
  const field = at === undefined ? key : `${at}.${key}`;
  if (value === undefined) return invalid(field, 'is missing');
  if (typeof value !== 'string') return invalid(field, 'is not a text');
  return value;
}

/** A value for a message: quoted, and not longer than a line. */
function show(value: string): string {
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value);
}

function invalid(field: string, why: string): never {
  throw new SluiceError('SLUICE_MANIFEST_INVALID', `manifest: ${field}: ${why}`);
}
