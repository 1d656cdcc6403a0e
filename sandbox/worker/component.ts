import {
  admit,
  type ConverterGuest,
  type GuestLog,
  guestError,
  judgeComponentImports,
  type KernelGuest,
  LEVELS,
  type ModuleFacts,
  type Rules,
  refusal,
  SluiceError,
} from '../../runtime/index.js';
import type { ComponentCode } from '../messages.js';
import { compile } from './compile.js';

/** What jco's script exports when it was made with `instantiation: 'sync'`. */
interface TranspiledScript {
  instantiate(
    getCoreModule: (path: string) => WebAssembly.Module,
    imports: object,
  ): ConverterGuest | KernelGuest;
}

export interface ComponentModule {
  /** Of its core modules. */
  readonly facts: readonly ModuleFacts[];
  instantiate(log: GuestLog): ConverterGuest | KernelGuest;
}

/**
 * Judges a transpiled component, loads its script and compiles its core modules, each with the memory cap.
 * @throws SluiceError with step `admit` or `compile`
 */
export async function loadComponent(code: ComponentCode, rules: Rules): Promise<ComponentModule> {
  const { plugin } = rules;
  const foreign = judgeComponentImports(code.imports, rules);
  if (foreign.length > 0) throw refusal(plugin, foreign);
  const modules = new Map<string, WebAssembly.Module>();
  const facts: ModuleFacts[] = [];
  for (const [name, bytes] of Object.entries(code.modules)) {
    const admitted = admit(bytes, 'inside a component', rules);
    facts.push(admitted.facts);
    modules.set(name, compile(admitted.bytes, plugin));
  }
  const script = (await import(code.script)) as TranspiledScript;
  return {
    facts,
    instantiate(log) {
      const find = (path: string): WebAssembly.Module => {
        const module = modules.get(path);
        if (module === undefined)
          throw new SluiceError('SLUICE_COMPONENT_TRANSPILE', `${plugin}: no core module ${path}`);
        return module;
      };
      const write = (level: string, text: string): void =>
        log(LEVELS.indexOf(level as (typeof LEVELS)[number]), text);
      try {
        // jco looks an import up under its own name, as an object with a default or a plain function.
        return script.instantiate(find, { log: { default: write } });
      } catch (thrown) {
        throw guestError(thrown, 'start', plugin);
      }
    },
  };
}
