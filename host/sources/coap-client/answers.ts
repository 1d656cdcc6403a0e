import { type Fault, faultOf } from '../../../runtime/index.js';
import { CODE, classOf, codeText } from '../../protocols/coap/code.js';
import type { Message } from '../../protocols/coap/message.js';
import { isNewer } from '../../protocols/coap/observe-order.js';
import type { Representation } from '../../protocols/coap/representation.js';
import type { Clock } from '../modbus/clock.js';
import type { Ask } from './ask.js';
import { type ClientSettings, MOST_AGE_S } from './client-config.js';
import type { Reading, Tagged } from './reading.js';

/** RFC 7252, 5.10.5: what an answer that does not say so is fresh for. */
const MAX_AGE_S = 60;
const MOST_RESTARTS = 3;
const MOST_WORDS = 80;

/** What an answer makes of what was asked. */
export interface Asking {
  /** Asks for the next block, or from the start, under another token. */
  again(ask: Ask): void;
  /** Asks for the blocks behind the first of an observation, in place of what is under way. */
  rest(reading: Reading, representation: Representation): void;
  /** The device wants to see this with each request. */
  echo(value: Buffer): void;
  /** It is over, and was answered; an observation may stand from now on. */
  end(ask: Ask): void;
  /** @param maxAge seconds for which it is no use to ask again */
  fail(ask: Ask, code: Fault['code'], why: string, maxAge?: number): void;
  /** What else is to be said. */
  complain(code: Fault['code'], reading: Reading, why: string): void;
  repeated(): void;
  /** It is read. */
  read(reading: Reading, body: Buffer, contentFormat: number | undefined): void;
}

/** What the answers and notifications of one device mean. */
export class Answers {
  readonly #asking: Asking;
  readonly #clock: Clock;
  readonly #settings: ClientSettings;
  /** Observations that stand, by what they observe. */
  readonly #standing = new Map<Reading, Ask>();

  constructor(asking: Asking, clock: Clock, settings: ClientSettings) {
    this.#asking = asking;
    this.#clock = clock;
    this.#settings = settings;
  }

  /** Observations that stand. */
  get standing(): IterableIterator<Ask> {
    return this.#standing.values();
  }

  /** The observation of this reading that stands. */
  standingOf(reading: Reading): Ask | undefined {
    return this.#standing.get(reading);
  }

  /** An observation does not stand any more. */
  drop({ reading, token }: Ask): void {
    if (this.#standing.get(reading)?.token.equals(token)) this.#standing.delete(reading);
  }

  take(ask: Ask, message: Message): void {
    const now = this.#clock.steady();
    if (ask.isStanding) this.#notified(ask, message, now);
    else this.#judge(ask, message, now);
  }

  #judge(ask: Ask, message: Message, now: number): void {
    const { code, badOption, echo } = message;
    if (badOption !== 0) {
      this.#asking.fail(
        ask,
        'SLUICE_SOURCE_PROTOCOL',
        `has the critical option ${badOption}, which is not known here`,
      );
    } else if (code === CODE.content) this.#content(ask, message, now);
    else if (code === CODE.valid) this.#valid(ask, message, now);
    else if (code === CODE.unauthorized && echo !== undefined && !ask.hasEchoed) {
      ask.hasEchoed = true;
      this.#asking.echo(Buffer.from(echo));
      this.#asking.again(ask);
    } else if (classOf(code) === 2) {
      this.#asking.fail(
        ask,
        'SLUICE_SOURCE_PROTOCOL',
        `has the code ${codeText(code)}, which answers no GET`,
      );
    } else this.#asking.fail(ask, 'SLUICE_SOURCE_REFUSED', refusalOf(message), message.maxAge);
  }

  #content(ask: Ask, message: Message, now: number): void {
    const { representation, reading } = ask;
    let progress: ReturnType<typeof representation.take>;
    try {
      progress = representation.take(message);
    } catch (thrown) {
      const { code, message: why } = faultOf(thrown);
      this.#asking.fail(ask, code, `cannot be used: ${why}`);
      return;
    }
    if (progress === 'changed') {
      ask.restarts += 1;
      if (ask.restarts > MOST_RESTARTS)
        this.#asking.fail(
          ask,
          'SLUICE_SOURCE_PROTOCOL',
          `changed ${ask.restarts} times while its blocks were read`,
        );
      else {
        ask.startAgain();
        this.#asking.again(ask);
      }
      return;
    }
    if (ask.kind === 'observe') {
      this.#observes(ask, message, now);
      if (progress === 'more') this.#asking.rest(reading, representation);
      else this.#whole(reading, ask);
      return;
    }
    if (progress === 'more') {
      this.#asking.again(ask);
      return;
    }
    this.#asking.end(ask);
    this.#whole(reading, ask);
  }

  #valid(ask: Ask, message: Message, now: number): void {
    const shown = shownBy(ask, message);
    if (shown === undefined || ask.representation.next !== undefined) {
      this.#asking.fail(
        ask,
        'SLUICE_SOURCE_PROTOCOL',
        'says that nothing has changed, and was asked for something else',
      );
      return;
    }
    if (ask.kind === 'observe') this.#observes(ask, message, now);
    else this.#asking.end(ask);
    this.#asking.read(ask.reading, shown.body, shown.contentFormat);
  }

  /** An observation is answered: does it stand? */
  #observes(ask: Ask, message: Message, now: number): void {
    const { reading } = ask;
    if (message.observe !== undefined) {
      ask.isStanding = true;
      this.#asking.end(ask);
      this.#standing.set(reading, ask);
      reading.newest = message.observe;
      reading.newestAt = now;
      this.#freshen(reading, message, now);
      return;
    }
    this.#asking.end(ask);
    this.#standing.delete(reading);
    reading.dueAt = now + Math.max(ageMs(message), this.#settings.graceMs);
    const what = `cannot be observed: it is asked for again in ${Math.round((reading.dueAt - now) / 1000)} s`;
    this.#asking.complain('SLUICE_SOURCE_REFUSED', reading, what);
  }

  /** RFC 7641, 3.3.1: when it is old and nothing came it is asked for again, not by all at once. */
  #freshen(reading: Reading, message: Message, now: number): void {
    reading.dueAt = now + ageMs(message) + this.#settings.graceMs * (1 + 2 * Math.random());
  }

  #notified(ask: Ask, message: Message, now: number): void {
    const { reading } = ask;
    const { observe, code } = message;
    if (classOf(code) !== 2 || observe === undefined || message.badOption !== 0) {
      // RFC 7641, 3.2: the observation is over, with this last word.
      this.#asking.fail(
        ask,
        'SLUICE_SOURCE_REFUSED',
        `is observed no longer: it ${refusalOf(message)}`,
        message.maxAge,
      );
      return;
    }
    if (!isNewer(observe, now, reading.newest, reading.newestAt)) {
      this.#asking.repeated();
      return;
    }
    reading.newest = observe;
    reading.newestAt = now;
    this.#freshen(reading, message, now);
    // RFC 7641, 4.3: it is again what the device was shown with the request.
    if (code === CODE.valid) {
      const shown = shownBy(ask, message);
      if (shown !== undefined) this.#asking.read(reading, shown.body, shown.contentFormat);
      else
        this.#asking.complain(
          'SLUICE_SOURCE_PROTOCOL',
          reading,
          'was notified that nothing has changed, of something else',
        );
      return;
    }
    ask.startAgain();
    const { representation } = ask;
    try {
      if (representation.take(message) === 'more') this.#asking.rest(reading, representation);
      else this.#whole(reading, ask);
    } catch (thrown) {
      const { code: fault, message: why } = faultOf(thrown);
      this.#asking.complain(fault, reading, `was notified of what cannot be used: ${why}`);
    }
  }

  #whole(reading: Reading, { representation }: Ask): void {
    const { contentFormat, etag } = representation;
    const body = representation.whole();
    reading.last = etag === undefined ? undefined : { etag: Buffer.from(etag), body, contentFormat };
    this.#asking.read(reading, body, contentFormat);
  }
}

/** What the request showed the device, if the answer says that it is still this one. */
function shownBy({ shown }: Ask, { etag }: Message): Tagged | undefined {
  return shown !== undefined && (etag === undefined || etag.equals(shown.etag)) ? shown : undefined;
}

function ageMs({ maxAge = MAX_AGE_S }: Message): number {
  return Math.min(maxAge, MOST_AGE_S) * 1000;
}

/** Source: RFC 7252, 5.5.2: an error may come with words. */
function refusalOf({ code, payload }: Message): string {
  const words = payload.toString('utf8', 0, MOST_WORDS);
  return `was answered with ${codeText(code)}${words === '' ? '' : ` ${JSON.stringify(words)}`}`;
}
