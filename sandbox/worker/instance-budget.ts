import {
  judgeComponentMemories,
  type ModuleFacts,
  type Rules,
  refusal,
  SluiceError,
} from '../../runtime/index.js';

/** What a core instance is given. */
export type CoreImports = ConstructorParameters<typeof WebAssembly.Instance>[1];

/**
 * Makes the core instances of one component, and counts what they have: a component may make many of one module, each
 * with a memory and tables of its own, and the caps of a plugin are about all of them together.
 */
export class InstanceBudget {
  readonly #modules: ReadonlyMap<WebAssembly.Module, ModuleFacts>;
  readonly #rules: Rules;
  readonly #made: ModuleFacts[] = [];

  constructor(modules: ReadonlyMap<WebAssembly.Module, ModuleFacts>, rules: Rules) {
    this.#modules = modules;
    this.#rules = rules;
  }

  /** @throws SluiceError SLUICE_MODULE_FEATURE, SLUICE_MODULE_TABLE; what the engine throws */
  readonly make = (module: WebAssembly.Module, imports?: CoreImports): WebAssembly.Instance => {
    const facts = this.#modules.get(module);
    if (facts !== undefined) this.#made.push(facts);
    const several = judgeComponentMemories(this.#made, this.#rules);
    if (several.length > 0) throw refusal(this.#rules.plugin, several);
    this.#mustHaveRoom();
    return new WebAssembly.Instance(module, imports);
  };

  #mustHaveRoom(): void {
    const { plugin, ceilings, policy } = this.#rules;
    const tables = this.#made.reduce((sum, each) => sum + each.tables.length, 0);
    if (tables <= ceilings.is.tables) return;
    const message = `${plugin}: the core instances of the component have ${tables} tables and more: policy ${policy} allows ceilings.tables: ${ceilings.is.tables}; make fewer instances, or raise ${ceilings.allow?.replace('*', 'tables')}`;
    throw new SluiceError('SLUICE_MODULE_TABLE', message, { step: 'admit', plugin });
  }
}
