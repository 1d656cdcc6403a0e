import { type Framing, PrefixFraming, TunnelFraming } from '../ends/framing.js';

export type Kind = 'tunnel' | 'prefix';

/** Bytes of a whole frame, of either kind. */
export const FRAME = 64;
/** Of these are not payload: header and check of a DATA frame; lengths of frame and topic. */
const HEAD: Readonly<Record<Kind, number>> = { tunnel: 28, prefix: 6 };
/** Frames that may wait for their acknowledgement. */
export const WINDOW = 4096;

export function framingOf(kind: Kind, client: string): Framing {
  const parts = { payload: Buffer.alloc(FRAME - HEAD[kind], 0x5a), numberAt: 0 };
  return kind === 'tunnel' ? new TunnelFraming(client, parts) : new PrefixFraming(parts);
}
