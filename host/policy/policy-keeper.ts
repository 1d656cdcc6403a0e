import { isDeepStrictEqual } from 'node:util';
import type { Grant, Policy, PolicyContent } from '../../runtime/index.js';

/**
 * The policy that is in force: one object, replaced as a whole, so that whoever reads it sees the opcodes and the
 * headers of one and the same version.
 */
export class PolicyKeeper {
  #current: Policy;

  constructor(content: PolicyContent) {
    this.#current = { ...content, version: 1 };
  }

  get current(): Policy {
    return this.#current;
  }

  /** What this plugin gets in place of what all get. */
  grantOf(plugin: string): Grant | undefined {
    const { grants } = this.#current;
    return Object.hasOwn(grants, plugin) ? grants[plugin] : undefined;
  }

  /** Gives false if that is what is in force already: a comment or another order of keys is no other policy. */
  replace(content: PolicyContent): boolean {
    const { version, ...before } = this.#current;
    if (isDeepStrictEqual(before, content)) return false;
    this.#current = { ...content, version: version + 1 };
    return true;
  }
}
