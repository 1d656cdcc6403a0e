import type { Delivery } from '../../sandbox/index.js';
import type { FrameId, Origin, Origins } from '../sinks/message-id.js';
import type { RouteSource } from './route-parts.js';

/** The sources of one route, each by the number that its frames carry in the ring. */
export class RouteSources {
  readonly #route: string;
  readonly #makeOrigins: Origins;
  readonly #all: RouteSource[] = [];
  /** Of each source. */
  readonly #origins: Origin[] = [];
  /** The numbers of those whose frames overtake. */
  readonly overtakers: number[] = [];
  /** The one that brings frames back from the disk. */
  #wayBack = -1;

  constructor(route: string, origins: Origins) {
    this.#route = route;
    this.#makeOrigins = origins;
  }

  get count(): number {
    return this.#all.length;
  }

  /** Registers a source and gives its number. */
  attach(source: RouteSource): number {
    const { name, replays = false } = source;
    // No source of a configuration has such a name: what is replayed is numbered by itself.
    const place = replays ? '~replay' : name;
    this.#origins.push(this.#makeOrigins.make(this.#route, place, replays || source.routes > 0));
    const number = this.#all.push(source) - 1;
    if (source.overtakes === true) this.overtakers.push(number);
    return number;
  }

  /** Registers the one whose frames are others', and have waited on the disk. */
  attachWayBack(source: RouteSource): number {
    this.#wayBack = this.attach(source);
    return this.#wayBack;
  }

  /** Undefined: no source has this number. */
  at(number: number): RouteSource | undefined {
    return this.#all[number];
  }

  /** The one of the configuration that is called so. */
  named(name: string): RouteSource | undefined {
    return this.#all.find(source => source.name === name && source.replays !== true);
  }

  /** Also of one that is not configured any more. */
  originOf(source: string): Origin {
    const known = this.#all.findIndex(({ name, replays }) => name === source && replays !== true);
    return this.#origins[known] ?? this.#makeOrigins.make(this.#route, source, false);
  }

  /** Where this route does not take frames, another does not get them either. */
  get holdOthersUp(): boolean {
    return this.#all.some(source => source.holdsOthersUp === true);
  }

  /** Stands on a frame of the source with this number. */
  stand(id: FrameId, number: number, sequence: number): void {
    id.stand(this.#origins[number] as Origin, sequence);
    (this.#all[number] as RouteSource).names?.name?.(sequence, id);
  }

  /** The trace id that the frame came with, beside its properties. */
  trace(delivery: Delivery, frame: number): string | undefined {
    return this.#all[delivery.originOf(frame)]?.names?.trace?.(delivery.sequenceOf(frame));
  }

  /** Whose the frame is. What has waited on the disk is still its first source's; the id stands on the frame. */
  of(delivery: Delivery, frame: number, id: FrameId): RouteSource | undefined {
    const number = delivery.originOf(frame);
    const source = this.#all[number];
    return number === this.#wayBack ? (this.named(id.origin.source) ?? source) : source;
  }

  /** It was brought back from the disk. */
  isBack(delivery: Delivery, frame: number): boolean {
    return !delivery.isFlush && delivery.originOf(frame) === this.#wayBack;
  }

  /** There is room for more. */
  resume(): void {
    for (const source of this.#all) source.resume();
  }
}
