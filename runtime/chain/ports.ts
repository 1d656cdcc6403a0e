/** Do the stages of a chain fit each other? Judged from their manifests and settings, before anything runs. */
import { SluiceError } from '../errors.js';
import type { PluginKind } from '../manifest-fields.js';
import { type Flow, type FlowKind, flowOut, type PortGives, type PortTakes, setting } from './flow.js';

/** What a plugin's manifest says of its two ends: the field `ports`. */
export interface Ports {
  readonly takes?: PortTakes;
  readonly gives?: PortGives;
}

/** A stage, as far as its ends go. */
export interface PortedStage {
  readonly plugin: string;
  readonly kind: PluginKind;
  /** Kinds of source of a converter; without any it is made to stand behind kernels. */
  readonly accepts: readonly string[];
  /** JSON, as the plugin is given it. */
  readonly config: string;
  readonly ports?: Ports;
}

/** From a source or a converter: bytes of which nobody has said anything. */
const RAW: Flow = { by: 'the source', format: 'bytes' };

/** What makes one kind of another, of the plugins that come along. */
const MAKERS: readonly (readonly [from: FlowKind | 'bytes', to: FlowKind, plugins: string])[] = [
  ['bytes', 'samples', 'decode'],
  ['bytes', 'windows', 'vibration-window'],
  ['bytes', 'spectra', 'vibration-window and fft'],
  ['samples', 'windows', 'vibration-window'],
  ['samples', 'spectra', 'vibration-window and fft'],
  ['windows', 'spectra', 'fft'],
];

/** @throws SluiceError SLUICE_CHAIN_PORTS: which two plugins, what does not fit, and what to put in between */
export function checkPorts(stages: readonly PortedStage[]): void {
  let flow = RAW;
  for (const stage of stages) {
    const settings = settingsOf(stage.config);
    const mismatch = mismatchOf(stage, settings, flow);
    if (mismatch !== undefined)
      throw new SluiceError('SLUICE_CHAIN_PORTS', `${flow.by} → ${stage.plugin}: ${mismatch}`, {
        step: 'configure',
        plugin: stage.plugin,
      });
    flow = flowOut(
      stage.plugin,
      stage.kind === 'kernel' ? stage.ports?.gives : { format: 'bytes' },
      settings,
      flow,
    );
  }
}

function mismatchOf(
  { plugin, kind, accepts, ports }: PortedStage,
  settings: Readonly<Record<string, unknown>>,
  flow: Flow,
): string | undefined {
  const takes: PortTakes =
    ports?.takes ?? (kind === 'converter' && accepts.length > 0 ? { format: 'bytes' } : {});
  const { by } = flow;
  if (takes.format === 'bytes' && flow.format === 'f32')
    return kind === 'converter'
      ? `${by} gives ${flow.of ?? 'floats'}, and ${plugin} reads what devices of ${accepts.join(', ')} send: put block-json in its place, or another converter for kernels`
      : `${by} gives floats, and ${plugin} reads bytes: put it in front of the plugin that reads the samples`;
  if (takes.format === 'f32' && flow.format === 'bytes')
    return `${by} gives bytes, and ${plugin} takes ${takes.of ?? 'samples'}: put ${maker('bytes', takes.of ?? 'samples')} in between`;
  const { of } = flow;
  if (takes.of !== undefined && of !== undefined && takes.of !== of) {
    const between = maker(of, takes.of);
    const remedy =
      between === undefined
        ? `${takes.of} cannot be made of them: put ${plugin} further to the front`
        : `put ${between} in between`;
    return `${by} gives ${of}, and ${plugin} takes ${takes.of}: ${remedy}`;
  }
  const size = setting(settings, takes.size);
  if (size !== undefined && flow.size !== undefined && size !== flow.size)
    return `${by} gives ${of ?? 'windows'} of size ${flow.size}, and ${plugin} takes size ${size}: give both the same size`;
  if (flow.format !== 'f32') return undefined;
  const channels = setting(settings, 'channels');
  if (channels !== undefined && flow.channels !== undefined && channels !== flow.channels)
    return `${by} gives ${flow.channels} channels, and ${plugin} is set to ${channels}: leave out channels, which is for raw bytes`;
  const rate = setting(settings, 'rate');
  if (rate !== undefined && flow.rate !== undefined && flow.rate > 0 && rate !== flow.rate)
    return `${by} gives ${flow.rate} samples a second, and ${plugin} is set to ${rate}: put { plugin: resample, config: { to: ${rate} } } in between, or leave out rate`;
  if (takes.needsRate === true && flow.rate === 0 && (rate ?? 0) === 0)
    return `${by} does not know the rate, and what ${plugin} does is in Hz: give the plugin that reads the samples its rate`;
  return undefined;
}

function maker(from: FlowKind | 'bytes', to: FlowKind): string | undefined {
  return MAKERS.find(([have, want]) => have === from && want === to)?.[2];
}

/** What is no JSON object is the plugin's to refuse. */
function settingsOf(config: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(config);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
