import { EventEmitter } from 'node:events';
import type { RtuStream } from './rtu-stream.js';

/** Unit, function, exception code, check sum. */
const EXCEPTION_BYTES = 5;
const EXCEPTION = 0x80;
/** The largest frame on a serial line. Source: MODBUS over Serial Line V1.02, 2.3. */
const LARGEST = 256;
/** Unit, function, byte count; check sum. */
const AROUND_DATA = 5;

/**
 * A port as modbus-serial wants it, over any stream that carries RTU frames: a serial line or a TCP
 * connection. Finds the one answer to the last request; what came before that request is never taken for it.
 */
export class RtuPort extends EventEmitter {
  readonly #stream: RtuStream;
  readonly #buffer = Buffer.alloc(LARGEST);
  #length = 0;
  #unit = 0;
  #code = 0;
  /** Bytes of the right answer; 0: none is awaited. */
  #awaited = 0;

  /** @param stream open already; whoever opened it closes it */
  constructor(stream: RtuStream) {
    super();
    this.#stream = stream;
    stream.stream.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  get isOpen(): boolean {
    return this.#stream.isOpen;
  }

  /** Bytes that came since the last request and are no answer to it. */
  get stray(): number {
    return this.#length;
  }

  open(done: (error?: Error) => void): void {
    done();
  }

  close(done?: () => void): void {
    this.destroy();
    done?.();
  }

  /** Its presence lets modbus-serial clear its timers. */
  destroy(): void {
    this.#awaited = 0;
    this.removeAllListeners('data');
  }

  /** A request as modbus-serial has put it together: unit, function, first, count, check sum. */
  write(request: Buffer): void {
    const count = request.readUInt16BE(4);
    this.#unit = request.readUInt8(0);
    this.#code = request.readUInt8(1);
    this.#awaited = AROUND_DATA + (this.#code <= 2 ? (count + 7) >> 3 : count * 2);
    this.#length = 0;
    this.#stream.stream.write(request);
  }

  #take(chunk: Buffer): void {
    if (this.#awaited === 0) return;
    this.#length += chunk.copy(this.#buffer, this.#length);
    // A line driver that turns around may put a byte or two in front.
    for (let at = 0; at + EXCEPTION_BYTES <= this.#length; at++) {
      const size = this.#sizeAt(at);
      if (size === 0) continue;
      if (at + size > this.#length) return;
      const answer = Buffer.from(this.#buffer.subarray(at, at + size));
      this.#awaited = 0;
      this.#length = 0;
      this.emit('data', answer);
      return;
    }
  }

  /** Bytes of the answer or exception that may begin here; 0: none does. */
  #sizeAt(at: number): number {
    if (this.#buffer[at] !== this.#unit) return 0;
    if (this.#buffer[at + 1] === this.#code) return this.#awaited;
    return this.#buffer[at + 1] === (this.#code | EXCEPTION) ? EXCEPTION_BYTES : 0;
  }
}
