/**
 * Names a message for good: `GATEWAY/SOURCE/START-SEQUENCE`, with `-N` behind it for the second and later
 * messages of one frame. A message that is sent again keeps its id, so that a consumer can drop the repeat.
 */
export interface MessageId {
  /** Bytes that `write` takes. */
  readonly length: number;
  /** Writes the id at `out[at]`, for which there is room; returns the offset behind it. */
  write(out: Buffer, at: number): number;
  /** The message overtook others of its source while it lay in the spool, or was overtaken. */
  readonly late: boolean;
}

/** The id in words; it allocates. */
export function textOf(id: MessageId): string {
  const bytes = Buffer.alloc(id.length);
  id.write(bytes, 0);
  return bytes.toString('utf8');
}

/** One source in one route: what the ids of its messages begin with. */
export interface Origin {
  /** 0, 1, 2, ... in this gateway. */
  readonly number: number;
  readonly route: string;
  /** Empty for what a chain gives out by itself, when it is flushed. */
  readonly source: string;
  readonly prefix: Buffer;
  /** The same without the start: what the id of a device's own sequence begins with. */
  readonly stem: string;
}

/** Makes the origins of a gateway. */
export class Origins {
  readonly #gateway: string;
  readonly #epoch: string;
  #next = 0;

  /** @param epoch tells this run of the gateway from every other */
  constructor(gateway: string, epoch: string) {
    this.#gateway = gateway;
    this.#epoch = epoch;
  }

  /** @param shared another route reads the source too, so the ids name the route as well */
  make(route: string, source: string, shared: boolean): Origin {
    const place = source === '' || shared ? `${source}@${route}` : source;
    const stem = `${this.#gateway}/${place}/`;
    const prefix = Buffer.from(`${stem}${this.#epoch}-`, 'utf8');
    return { number: this.#next++, route, source, prefix, stem };
  }
}

/** The id of a frame, kept: what stands before its sequence, and that. */
export interface FrameName {
  readonly prefix: Buffer;
  readonly sequence: number;
}

/** The id of the message that a route is at; moved, never allocated, for each message. */
export class FrameId implements MessageId {
  readonly late = false;
  origin: Origin;
  #prefix: Buffer;
  /** `#prefix` is what stands before the sequence, and not that of the origin. */
  #isNamed = false;
  /** The frame of the source, 1, 2, 3, ... since the start; or of the device. */
  sequence = 0;
  /** The message among those of its frame, from 0. */
  part = 0;
  /** Place of the message among all of its origin at one sink; set by a sink that keeps them in order. */
  place = 0;

  constructor(origin: Origin) {
    this.origin = origin;
    this.#prefix = origin.prefix;
  }

  /** Stands on a frame of the source. */
  stand(origin: Origin, sequence: number): void {
    // Mostly it is what it was, and to store an object costs more than to look; this is done for each frame.
    if (this.origin !== origin) this.origin = origin;
    this.#isNamed = false;
    this.sequence = sequence;
  }

  /** What stands before the sequence: that of the origin, or of a device that counts its frames itself. */
  get prefix(): Buffer {
    return this.#isNamed ? this.#prefix : this.origin.prefix;
  }

  set prefix(prefix: Buffer) {
    if (this.#prefix !== prefix) this.#prefix = prefix;
    this.#isNamed = true;
  }

  get length(): number {
    const length = this.prefix.length + digitsOf(this.sequence);
    return this.part === 0 ? length : length + 1 + digitsOf(this.part);
  }

  write(out: Buffer, at: number): number {
    const { prefix } = this;
    for (let i = 0; i < prefix.length; i++) out[at + i] = prefix[i] as number;
    const end = writeDigits(out, at + prefix.length, this.sequence);
    if (this.part === 0) return end;
    out[end] = HYPHEN;
    return writeDigits(out, end + 1, this.part);
  }
}

const HYPHEN = 0x2d;
const ZERO = 0x30;

function digitsOf(value: number): number {
  let digits = 1;
  for (let bound = 10; value >= bound; bound *= 10) digits++;
  return digits;
}

function writeDigits(out: Buffer, at: number, value: number): number {
  const end = at + digitsOf(value);
  let rest = value;
  let i = end - 1;
  // Beyond 32 bits the remainder would be one of floating-point numbers.
  for (; rest > 0x7fffffff; i--) {
    const tenth = Math.floor(rest / 10);
    out[i] = ZERO + (rest - tenth * 10);
    rest = tenth;
  }
  for (; i >= at; i--) {
    const tenth = (rest / 10) | 0;
    out[i] = ZERO + (rest - tenth * 10);
    rest = tenth;
  }
  return end;
}
