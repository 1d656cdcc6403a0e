/** A serial line, as its devices are set. */
export interface SerialLine {
  /** Of the port: /dev/ttyUSB0, COM3. */
  readonly path: string;
  readonly baud: number;
  readonly parity: 'none' | 'even' | 'odd';
  readonly dataBits: 7 | 8;
  readonly stopBits: 1 | 2;
}

/** Between two frames there are at least 3.5 characters of silence. Source: MODBUS over Serial Line V1.02, 2.5.1.1. */
const SILENCE_CHARACTERS = 3.5;
/** Above this the silence no longer shrinks. Source: the same. */
const FAST_BAUD = 19_200;
const FAST_SILENCE_MS = 1.75;

/** Milliseconds of silence that end a frame on this line. */
export function silenceMs({ baud, parity, dataBits, stopBits }: SerialLine): number {
  if (baud > FAST_BAUD) return FAST_SILENCE_MS;
  const bits = 1 + dataBits + (parity === 'none' ? 0 : 1) + stopBits;
  return (SILENCE_CHARACTERS * bits * 1000) / baud;
}
