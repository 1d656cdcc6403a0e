import type { Socket } from 'node:net';
import { type Fault, faultOf } from '../../../runtime/index.js';
import { encodeBare, encodeClose, encodeWelcome } from '../../protocols/tunnel/encode.js';
import { FrameReader } from '../../protocols/tunnel/frame-reader.js';
import { checkSequence, DataFrame, readHello } from '../../protocols/tunnel/messages.js';
import { LARGEST_HELLO, REASON, reasonOf, TYPE } from '../../protocols/tunnel/wire.js';
import { readInto } from '../serve/read-into.js';
import { Replies } from './replies.js';
import type { Session } from './session.js';
import { Silence } from './silence.js';
import { Throttle } from './throttle.js';
import type { TunnelHost } from './tunnel-host.js';

/** A pause in which a peer that is gone without a word is asked whether it is there. */
const KEEP_ALIVE_MS = 60_000;
/** What is over gets this long for its last words, and for the other side to end too. */
const LAST_WORDS_MS = 500;
const DONE = 0;
const WAITS = 1;

/** One connection of a client. What breaks the protocol ends it; what was acknowledged stays so, and the rest comes again. */
export class TunnelConnection {
  readonly peer: string;
  place = -1;
  session: Session | undefined;
  /** Numbers of the ingress for its topic and its properties; -1: none yet. */
  topic = -1;
  properties = -1;
  readonly #host: TunnelHost;
  readonly #socket: Socket;
  readonly #reader = new FrameReader(LARGEST_HELLO);
  readonly #data = new DataFrame();
  readonly #throttle: Throttle;
  /** The frame that the reader stands on waits for room, or for its turn. */
  #held = false;
  #holding = 0;
  /** What is fed to the reader is memory that others read into too. */
  readonly #shares: boolean;
  readonly #replies: Replies;
  #owesAck = false;
  /** Frames that waited for their acknowledgement when it came. */
  #openBefore = 0;
  #isProbed = false;
  #stopping = false;
  #over = false;
  #overSince = 0;
  #receivedAt = 0;
  /** On the steady clock, at the begin of a walk: one look serves all frames of a chunk. */
  #now: number;
  readonly #silence: Silence;

  constructor(host: TunnelHost, socket: Socket, peer: string) {
    this.#host = host;
    this.#socket = socket;
    this.peer = peer;
    this.#throttle = new Throttle(host.settings.rate, host.rate, () => void this.#walk());
    this.#now = host.steady();
    this.#silence = new Silence(this.#now);
    const reads = host.reads();
    const take = (bytes: Uint8Array, length: number): void => this.#take(bytes, length);
    if (reads === undefined) socket.on('data', chunk => this.#take(chunk, chunk.length));
    this.#shares = reads !== undefined && readInto(socket, reads, take);
    this.#replies = new Replies(socket, () => {
      if (this.#owesAck) this.acknowledge();
    });
    // `close` follows and says what is to be said.
    socket.on('error', () => {});
    socket.once('close', () => this.#closed());
  }

  /** There is room again. */
  resume(): void {
    if (this.#held && !this.#throttle.isWaiting) this.#walk();
  }

  /** Tells how far its frames are delivered; once the client reads again, if it does not now. */
  acknowledge(): void {
    this.#owesAck = this.#replies.isClogged;
    if (!this.#owesAck && this.session !== undefined)
      this.#replies.send(encodeBare(TYPE.ack, this.session.acknowledged));
  }

  /** Tells the client what was taken before, if an acknowledgement has not done so on its way. */
  greet(): void {
    if (!this.#over) this.#replies.greet();
  }

  /** Does what time asks for. */
  look(now: number): void {
    // Not when it begins: most connections of those that come and go are gone by now, and this is four calls of the system.
    if (!this.#isProbed) this.#socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#isProbed = true;
    if (this.#over && now - this.#overSince >= LAST_WORDS_MS) this.#socket.destroy();
    if (this.#over || this.#stopping) return;
    const { settings } = this.#host;
    if (this.session === undefined && this.#silence.isNobody(now, settings)) {
      const why = `did not say who it is within ${settings.helloMs} ms`;
      this.close('SLUICE_SOURCE_TIMEOUT', why, REASON.silent);
    } else if (!this.#held) {
      const defect = this.#silence.defect(now, settings, this.#reader.partial);
      if (defect !== undefined) this.close(defect.code, defect.why, REASON.silent);
    }
  }

  /** Reads no more; what was taken is acknowledged still. */
  stop(): void {
    this.#stopping = true;
    this.#throttle.stop();
    this.#socket.pause();
  }

  /** Says goodbye. */
  end(): void {
    this.#isOver();
    const goodbye = encodeClose({ reason: REASON.goodbye, text: 'the gateway stops' });
    this.#socket.end(this.#replies.ordered(goodbye));
    this.#socket.resume();
  }

  destroy(): void {
    this.#isOver();
    this.#socket.destroy();
  }

  /** @param why goes behind the client's name */
  close(code: Fault['code'], why: string, reason: number): void {
    this.#host.failed(code, `${this.#who} ${why}; connection closed`, this.peer);
    this.#isOver();
    this.#throttle.stop();
    // A client that does not take these last words is not waited for.
    if (this.#replies.isClogged) {
      this.#socket.destroy();
      return;
    }
    if (this.#socket.writable) this.#socket.write(this.#replies.ordered(encodeClose({ reason, text: why })));
    this.#socket.destroySoon();
  }

  /** It did what the protocol does not know. */
  #breaks(why: string): void {
    this.close('SLUICE_SOURCE_PROTOCOL', why, REASON.protocol);
  }

  #isOver(): void {
    if (this.#over) return;
    this.#over = true;
    this.#overSince = this.#host.steady();
  }

  get #who(): string {
    return this.session === undefined ? this.peer : `${this.session.client} (${this.peer})`;
  }

  #take(bytes: Uint8Array, length: number): void {
    if (this.#over || this.#stopping) return;
    this.#receivedAt = this.#host.wall();
    this.#reader.feed(bytes, length);
    const state = this.#walk();
    if (state === WAITS && this.#shares) this.#reader.keep();
    if (!this.#replies.owesWelcome) return;
    // A client that sent no frame behind its HELLO waits for this one.
    if (state === DONE && this.session!.open > this.#openBefore) this.#host.greetSoon(this);
    else this.greet();
  }

  #walk(): number {
    if (this.#over || this.#stopping) return DONE;
    this.#now = this.#host.steady();
    let state: number;
    try {
      state = this.#frames();
    } catch (thrown) {
      const { code, message } = faultOf(thrown);
      this.close(code, `broke the protocol: ${message}`, reasonOf(code));
      return DONE;
    }
    if (this.#over) return DONE;
    if (state === WAITS) this.#socket.pause();
    else if (this.#socket.isPaused()) this.#socket.resume();
    return state;
  }

  #frames(): number {
    const reader = this.#reader;
    let isHeard = false;
    for (;;) {
      if (this.#held) {
        if (!this.#handOver()) return WAITS;
        this.#held = false;
        // While it waited nothing was read: its client was not silent, it was not listened to.
        this.#silence.heard(this.#now);
      } else if (reader.next()) {
        if (!isHeard) this.#silence.heard(this.#now);
        isHeard = true;
        this.#held = !this.#frame();
        if (this.#over) return DONE;
        if (this.#held) return WAITS;
      } else {
        if (reader.partial > 0) this.#silence.waits(this.#now);
        this.#countHeld();
        return DONE;
      }
    }
  }

  #countHeld(): void {
    const { held } = this.#reader;
    if (held === this.#holding) return;
    const more = held - this.#holding;
    this.#holding = held;
    if (this.#host.holds(more, this.peer) || more < 0) return;
    const why = `sent a part of a frame, and the ${this.#host.settings.memory} bytes that all connections may hold, or the share of its address, are used up`;
    this.close('SLUICE_SOURCE_MEMORY', why, REASON.full);
  }

  /** False: it waits. */
  #frame(): boolean {
    const { type } = this.#reader;
    if (this.session === undefined) {
      if (type === TYPE.hello) this.#hello();
      else this.#breaks(`began with a frame of type ${type} and not with HELLO`);
      return true;
    }
    switch (type) {
      case TYPE.data:
        return this.#handOver();
      case TYPE.ping:
        if (!this.#replies.isClogged) this.#replies.send(encodeBare(TYPE.pong, this.#reader.sequence));
        return true;
      case TYPE.pong:
        return true;
      case TYPE.close:
        this.#isOver();
        this.#socket.end();
        // It may have been paused, and then its end would not be seen.
        this.#socket.resume();
        return true;
      default:
        this.#breaks(`sent a frame of type ${type}`);
        return true;
    }
  }

  #hello(): void {
    const hello = readHello(this.#reader);
    const { window, maxFrame, keepAliveMs } = this.#host.settings;
    const session = this.#host.attach(hello, this);
    if (session === undefined) {
      const why = `says it is ${hello.client}, and its token is not the right one`;
      this.close('SLUICE_SOURCE_TOKEN', why, REASON.refused);
      return;
    }
    this.session = session;
    this.#reader.maxFrame = maxFrame;
    this.#openBefore = session.open;
    this.#replies.welcome(encodeWelcome({ taken: session.taken, window, maxFrame, keepAliveMs }));
    // Of frames that the client has still.
    if (session.acknowledged >= hello.first) this.acknowledge();
  }

  /** The DATA frame that the reader stands on. False: it waits. */
  #handOver(): boolean {
    const session = this.session!;
    const reader = this.#reader;
    checkSequence(reader, 1);
    const { sequence } = reader;
    if (sequence <= session.taken) {
      this.#host.skipped('SLUICE_SOURCE_REPEATED');
      return true;
    }
    if (sequence > session.taken + 1) {
      const why = `sent frame ${sequence} where ${session.taken + 1} comes next`;
      this.close('SLUICE_SOURCE_GAP', why, REASON.gap);
      return true;
    }
    const { window } = this.#host.settings;
    if (session.open >= window) {
      this.#breaks(`sent more than the ${window} frames that may wait for their acknowledgement`);
      return true;
    }
    this.#data.read(reader);
    if (this.#throttle.isWaiting) return false;
    if (!this.#held && this.#throttle.holds(this.#now)) {
      this.#host.skipped('SLUICE_SOURCE_RATE');
      return false;
    }
    if (this.#host.push(this, reader, this.#data, this.#receivedAt)) return true;
    this.#host.blocked(this);
    return false;
  }

  #closed(): void {
    const { partial } = this.#reader;
    if (!this.#over && !this.#stopping && partial > 0) {
      const message = `${this.#who} closed the connection in the middle of a frame, after ${partial} bytes`;
      this.#host.failed('SLUICE_SOURCE_DISCONNECTED', message, this.peer);
    }
    this.#over = true;
    this.#throttle.leave();
    this.#host.holds(-this.#holding, this.peer);
    this.#holding = 0;
    this.#host.closed(this);
  }
}
