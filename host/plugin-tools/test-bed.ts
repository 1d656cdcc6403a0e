import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_POLICY, grant, LIMITS } from '../../runtime/index.js';
import { type ChainSpec, SandboxPool } from '../../sandbox/index.js';
import { Transpiler } from '../plugins/transpiler.js';
import type { PluginFile } from './plugin-file.js';

/** What the gateway grants where neither configuration nor manifest says anything else. */
const DEFAULTS = { memory: 16 << 20, deadline: 100, startDeadlineMs: 2000 };

/** Sandboxes as the gateway has them, for trying out one plugin. Dispose of it, or its threads stay. */
export class TestBed {
  readonly pool = new SandboxPool({ threads: 3, spares: 0 });
  #components: string | undefined;

  /**
   * A chain of this one plugin, with the limits of its manifest.
   * @param config JSON
   * @throws SluiceError SLUICE_COMPONENT_TOOLS, SLUICE_COMPONENT_TRANSPILE
   */
  async chainOf({ bytes, kind, manifest }: PluginFile, config: string): Promise<ChainSpec> {
    const { name: plugin, version, kind: world, limits, sha256 } = manifest;
    const code =
      kind === 'component'
        ? await new Transpiler(await this.#folder()).transpile(plugin, bytes, sha256)
        : ({ format: 'core', bytes } as const);
    const { rules, deadline: deadlineMs } = grant(DEFAULT_POLICY, manifest, DEFAULTS);
    const stage = {
      plugin,
      version,
      kind: world,
      config,
      rules,
      // A trial has the time that the author asks for.
      deadlineMs: limits.deadline ?? deadlineMs,
      code,
    };
    return {
      stages: [stage],
      startDeadlineMs: DEFAULTS.startDeadlineMs,
      output: Math.min(LIMITS.output, limits.output ?? LIMITS.output),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool.close();
    if (this.#components !== undefined) await rm(this.#components, { recursive: true, force: true });
  }

  async #folder(): Promise<string> {
    this.#components ??= await mkdtemp(join(tmpdir(), 'sluice-components-'));
    return this.#components;
  }
}
