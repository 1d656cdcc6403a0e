/** What flows from one stage of a chain to the next, as far as manifests and settings tell. */

export const FLOW_KINDS = ['samples', 'windows', 'spectra', 'values'] as const;
/** Samples of a stream, whole windows of them, their spectra, or figures of windows. */
export type FlowKind = (typeof FLOW_KINDS)[number];
export const FLOW_FORMATS = ['bytes', 'f32'] as const;
export type FlowFormat = (typeof FLOW_FORMATS)[number];

/** What a plugin can work on; absent: anything. */
export interface PortTakes {
  readonly format?: FlowFormat;
  readonly of?: FlowKind;
  /** Name of the setting that has to be the size of the windows. */
  readonly size?: string;
  /** It works in Hz. */
  readonly needsRate?: boolean;
}

/** What a plugin gives out; what is absent is as it came in. */
export interface PortGives {
  readonly format?: FlowFormat;
  readonly of?: FlowKind;
  /** Name of a setting. */
  readonly size?: string;
  /** Name of the setting that holds for raw bytes; `null`: nobody can say. */
  readonly channels?: string | null;
  /** The same, in samples a second; with `!` in front it holds for floats, too. */
  readonly rate?: string | null;
}

export interface Flow {
  /** The plugin that it comes from. */
  readonly by: string;
  readonly format?: FlowFormat;
  readonly of?: FlowKind;
  readonly size?: number;
  readonly channels?: number;
  /** 0: not known while it runs, either. */
  readonly rate?: number;
}

type Settings = Readonly<Record<string, unknown>>;

/** @param gives undefined: the plugin says nothing, and so nothing is known behind it */
export function flowOut(by: string, gives: PortGives | undefined, settings: Settings, flow: Flow): Flow {
  if (gives === undefined) return { by };
  const raw = flow.format === 'bytes';
  const format = gives.format ?? flow.format;
  if (format === 'bytes') return { by, format };
  // Whole windows stay whole windows where sample by sample is worked on.
  const of = gives.of === undefined || (gives.of === 'samples' && !raw) ? flow.of : gives.of;
  const size = setting(settings, gives.size) ?? flow.size;
  const channels = gives.channels === null ? undefined : raw ? channelsOf(gives, settings) : flow.channels;
  const rate = rateOut(gives, settings, flow);
  return {
    by,
    ...(format === undefined ? {} : { format }),
    ...(of === undefined ? {} : { of }),
    ...(size === undefined ? {} : { size }),
    ...(channels === undefined ? {} : { channels }),
    ...(rate === undefined ? {} : { rate }),
  };
}

function channelsOf({ channels }: PortGives, settings: Settings): number | undefined {
  return typeof channels === 'string' ? (setting(settings, channels) ?? 1) : undefined;
}

function rateOut({ rate }: PortGives, settings: Settings, flow: Flow): number | undefined {
  if (rate === null) return undefined;
  if (rate === undefined) return flow.rate;
  if (rate.startsWith('!')) return setting(settings, rate.slice(1));
  const own = setting(settings, rate) ?? 0;
  if (flow.format === 'bytes') return own;
  return flow.rate === 0 ? own : flow.rate;
}

/** A setting that is a number. */
export function setting(settings: Settings, name: string | undefined): number | undefined {
  const value = name === undefined ? undefined : settings[name];
  return typeof value === 'number' ? value : undefined;
}
