import type { Finding } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import type { Rules } from '../rules.js';
import type { ModuleFacts } from '../scan/facts.js';

/** A memory that starts with more than is granted. What it may grow to is written into the module. */
export function judgeMemory(facts: ModuleFacts, { memory, policy }: Rules): Finding[] {
  const most = Math.floor(memory.is / LIMITS.page);
  return facts.memories
    .filter(({ min }) => min > most)
    .map(({ min, start }) => ({
      code: 'SLUICE_MODULE_MEMORY',
      policy,
      rule: `${memory.rule}: ${memory.is}`,
      found: `a memory that starts with ${pages(min)} (${min * LIMITS.page} bytes)`,
      total: 1,
      why:
        memory.allow === undefined
          ? `its manifest asks for ${memory.is} bytes (policy ${policy})`
          : `policy ${policy} grants ${pages(most)} (${memory.is} bytes)`,
      fix: `lower the initial memory, or ${memory.allow === undefined ? 'raise limits.memory in the manifest' : `raise ${memory.allow}`}`,
      offset: start,
    }));
}

function pages(count: number): string {
  return count === 1 ? '1 page' : `${count} pages`;
}
