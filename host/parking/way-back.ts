import { type Fault, type FrameCopy, Interned, PropertyImage, Stamp } from '../../runtime/index.js';
import type { RouteSource } from '../route/route-parts.js';
import type { FrameId, MessageId, Origin } from '../sinks/message-id.js';
import type { FrameNames } from '../sources/source.js';
import type { Receiver } from '../spool/catch-up.js';
import type { RecordView } from '../spool/record.js';
import type { Run } from '../spool/run.js';
import { numberOf } from './parked-id.js';

/** Frames that may be in the ring or behind it at once, and twice that: who hands them on takes half of it. */
const CAPACITY = 2000;
const HYPHEN = 0x2d;

export interface WayBackParts {
  /** Into the ring, past all that is aside. */
  readonly push: (
    sequence: number,
    source: Interned,
    topic: Interned,
    time: Stamp,
    bytes: Uint8Array,
    start: number,
    end: number,
    properties: Interned | undefined,
  ) => boolean;
  /** What was written may go. */
  readonly flush: () => void;
  /** The origin of a source of the route, by its name. */
  readonly originOf: (source: string) => Origin;
}

export interface WayBackEvents {
  /** Records of this run are delivered, in their order, up to its `through`. */
  readonly through: (run: Run) => void;
}

/** A frame that is under way, by the sequence that it has here. */
interface UnderWay {
  readonly run: Run;
  /** Of its record, in the queue of the run. */
  readonly place: number;
  readonly origin: Origin;
  /** Its id, as it was when it came first. */
  readonly prefix: Buffer;
  readonly sequence: number;
  /** Trace id that it came with then. */
  readonly trace: string | undefined;
}

/** One that no plugin has run: kept here until it is brought once more. */
interface Again {
  readonly of: UnderWay;
  readonly frame: FrameCopy;
}

/**
 * Brings frames that were put aside into the ring of their route, as a source of it. They keep their source, their time
 * and their id; their records go when every sink has confirmed what came of them.
 */
export class WayBack implements Receiver, RouteSource {
  /** No source of a configuration has such a name. */
  readonly name = '~parked';
  readonly routes = 0;
  readonly overtakes = true;
  readonly capacity = CAPACITY;
  readonly names: FrameNames = {
    name: (sequence, id) => this.#name(sequence, id),
    trace: sequence => this.#underWay[sequence - this.#first]?.trace,
  };
  readonly #parts: WayBackParts & WayBackEvents;
  /** Undefined: it has come back. */
  readonly #underWay: (UnderWay | undefined)[] = [];
  /** In their order. No more than the ring has held. */
  readonly #again: Again[] = [];
  readonly #sources = new Map<string, { readonly text: Interned; readonly origin: Origin }>();
  readonly #topic = Interned.text('');
  readonly #time = new Stamp();
  readonly #image = new PropertyImage();
  readonly #properties = Interned.properties([]);
  #id = Buffer.alloc(128);
  #prefix = Buffer.alloc(0);
  #last = 0;
  #back = 0;

  constructor(parts: WayBackParts & WayBackEvents) {
    this.#parts = parts;
  }

  /** So many frames have gone into the ring, and have not come back unseen. */
  get brought(): number {
    return this.#last - this.#back;
  }

  /** Some are to be brought once more, before all others. */
  get isAgain(): boolean {
    return this.#again.length > 0;
  }

  /** No plugin has run it. @param sequence that it had here */
  takeBack(sequence: number, frame: FrameCopy): void {
    const at = sequence - this.#first;
    const of = this.#underWay[at];
    if (of === undefined) return;
    this.#underWay[at] = undefined;
    this.#again.push({ of, frame });
    this.#back++;
  }

  /** Brings those that came back once more, as the ring takes them; true: all of them. */
  again(): boolean {
    let taken = 0;
    for (const { of, frame } of this.#again) {
      if (!this.#bring(frame)) break;
      this.#underWay.push(of);
      taken++;
    }
    this.#again.splice(0, taken);
    if (taken > 0) this.flush();
    return this.#again.length === 0;
  }

  #bring({ source, topic, timestamp, payload, properties }: FrameCopy): boolean {
    const { text } = this.#sourceOf(source);
    const time = Stamp.ofNanos(timestamp);
    const list = properties.length === 0 ? undefined : Interned.properties(properties);
    const sequence = this.#last + 1;
    const { push } = this.#parts;
    if (!push(sequence, text, Interned.text(topic), time, payload, 0, payload.length, list)) return false;
    this.#last = sequence;
    return true;
  }

  write(view: RecordView, run: Run, _id: MessageId, place: number): boolean {
    if (this.isAgain) return false;
    const { text, origin } = this.#sourceOf(run.queue.name.source);
    const { bytes, payloadStart, payloadEnd } = view;
    this.#topic.assign(bytes, view.topicStart, view.topicEnd, 0);
    const sequence = this.#last + 1;
    const taken = this.#parts.push(
      sequence,
      text,
      this.#topic,
      this.#time.words(view.timestampLow, view.timestampHigh),
      bytes,
      payloadStart,
      payloadEnd,
      this.#propertiesOf(view),
    );
    if (!taken) return false;
    this.#last = sequence;
    this.#underWay.push({ run, place, origin, ...this.#idOf(view) });
    return true;
  }

  flush(): void {
    this.#parts.flush();
  }

  resume(): void {
    // Who hands records over looks for room by itself.
  }

  delivered(sequence: number): void {
    for (const frame of this.#underWay.splice(0, sequence - this.#first + 1)) {
      if (frame === undefined) continue;
      this.#parts.through(frame.run);
      frame.run.doneTo(frame.place);
    }
  }

  /** Sequence of the first frame that is under way. */
  get #first(): number {
    return this.#last - this.#underWay.length + 1;
  }

  refused(_plugin: string, _fault: Fault): void {
    // The source that it came from is told.
  }

  sendBack(): boolean {
    return false;
  }

  #name(sequence: number, id: FrameId): void {
    const frame = this.#underWay[sequence - this.#first];
    if (frame === undefined) return;
    id.origin = frame.origin;
    id.prefix = frame.prefix;
    id.sequence = frame.sequence;
  }

  #sourceOf(name: string): { readonly text: Interned; readonly origin: Origin } {
    let source = this.#sources.get(name);
    if (source === undefined) {
      source = { text: Interned.text(name), origin: this.#parts.originOf(name) };
      this.#sources.set(name, source);
    }
    return source;
  }

  #propertiesOf(view: RecordView): Interned | undefined {
    if (view.propertyCount === 0) return undefined;
    const image = this.#image;
    image.begin();
    for (let index = 0; index < view.propertyCount; index++) {
      view.property(index);
      image.add(view.bytes, view.keyStart, view.keyEnd, view.bytes, view.valueStart, view.valueEnd);
    }
    image.end();
    this.#properties.assign(image.bytes, 0, image.length, image.count);
    return this.#properties;
  }

  /** What stands before the number is the same for many, and kept once. */
  #idOf(view: RecordView): Pick<UnderWay, 'prefix' | 'sequence' | 'trace'> {
    if (view.length > this.#id.length) this.#id = Buffer.alloc(2 * view.length);
    const end = view.write(this.#id, 0);
    const begin = this.#id.lastIndexOf(HYPHEN, end - 1) + 1;
    if (this.#id.compare(this.#prefix, 0, this.#prefix.length, 0, begin) !== 0)
      this.#prefix = Buffer.from(this.#id.subarray(0, begin));
    return { prefix: this.#prefix, ...numberOf(this.#id.toString('latin1', begin, end)) };
  }
}
