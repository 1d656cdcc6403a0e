import {
  admit,
  type ConverterGuest,
  type GuestLog,
  guestError,
  judgeComponentImports,
  judgeComponentMemories,
  type KernelGuest,
  LEVELS,
  type ModuleFacts,
  type Rules,
  refusal,
  SluiceError,
} from '../../runtime/index.js';
import type { ComponentCode } from '../messages.js';
import { compile } from './compile.js';
import { type CoreImports, InstanceBudget } from './instance-budget.js';

/** What jco's script exports when it was made with `instantiation: 'sync'`. */
interface TranspiledScript {
  instantiate(
    getCoreModule: (path: string) => WebAssembly.Module,
    imports: object,
    instantiateCore: (module: WebAssembly.Module, imports?: CoreImports) => WebAssembly.Instance,
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
  const admitted = Object.entries(code.modules).map(([name, bytes]) => ({
    name,
    ...admit(bytes, 'inside a component', rules),
  }));
  const facts = admitted.map(each => each.facts);
  const several = judgeComponentMemories(facts, rules);
  if (several.length > 0) throw refusal(plugin, several);
  const modules = new Map<string, WebAssembly.Module>();
  const factsOf = new Map<WebAssembly.Module, ModuleFacts>();
  for (const each of admitted) {
    const module = compile(each.bytes, plugin, each.facts.bytes);
    modules.set(each.name, module);
    factsOf.set(module, each.facts);
  }
  // After all names were judged: they stand in it, and what it says runs with the rights of this thread.
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
      const { make } = new InstanceBudget(factsOf, rules);
      try {
        // jco looks an import up under its own name, as an object with a default or a plain function.
        return script.instantiate(find, { log: { default: write } }, make);
      } catch (thrown) {
        throw guestError(thrown, 'start', plugin);
      }
    },
  };
}
