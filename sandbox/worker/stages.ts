import {
  admit,
  CoreInstance,
  type GuestLog,
  lendMemory,
  type ModuleFacts,
  ObjectInstance,
  Room,
  type Stage,
} from '../../runtime/index.js';
import type { StageSpec } from '../messages.js';
import { compile } from './compile.js';
import { type ComponentModule, loadComponent } from './component.js';

/** A stage that has been admitted and compiled: instances are made of it as often as needed. */
export interface Prepared {
  readonly plugin: string;
  /** Of its core modules. */
  readonly facts: readonly ModuleFacts[];
  /**
   * Link, start and configure a fresh instance.
   * @param config another than the spec's, for a test
   * @param room where instances of this stage live, one after the other @throws SluiceError that names the step
   */
  make(log: GuestLog, config?: string, room?: Room): Stage;
  /** Undefined: each instance has a memory of its own. */
  room(): Room | undefined;
}

/** For instances that are only tried out. */
export const quiet: GuestLog = () => {};

/** Admits and compiles, in this thread. @throws SluiceError with step `admit` or `compile` */
export async function prepare(spec: StageSpec): Promise<Prepared> {
  const { plugin, kind, config, rules, code } = spec;
  if (code.format === 'component') {
    const component: ComponentModule = await loadComponent(code, rules);
    return {
      plugin,
      facts: component.facts,
      make(log, other = config) {
        const instance = new ObjectInstance(component.instantiate(log), plugin);
        instance.configure(other);
        return { plugin, instance };
      },
      room: () => undefined,
    };
  }
  const { bytes, facts } = admit(code.bytes, kind, rules);
  const borrower = lendMemory(bytes);
  const module = compile(borrower?.bytes ?? bytes, plugin, facts.bytes);
  const room = (): Room | undefined => borrower && new Room(borrower);
  return {
    plugin,
    facts: [facts],
    make(log, other = config, where = room()) {
      const instance = new CoreInstance(module, kind, plugin, log, where);
      instance.configure(other);
      return { plugin, instance };
    },
    room,
  };
}
