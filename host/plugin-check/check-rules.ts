import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  type Asks,
  DEFAULT_POLICY,
  type Granted,
  grant,
  type Policy,
  type SimdRule,
} from '../../runtime/index.js';
import { loadConfig } from '../config/load.js';
import { type KeyRing, readKeyRing } from '../plugins/signing/key-ring.js';
import { inUseMarker } from '../plugins/signing/signature-gate.js';

export interface CheckRuleOptions {
  /** Configuration of the gateway that would take the files; its environment does not count. */
  readonly config?: string;
  /** Folder of trusted keys. */
  readonly keys?: string;
  /** Bytes. */
  readonly memory?: number;
  readonly simd?: SimdRule;
}

/** By what files are judged. */
export interface CheckRules {
  readonly grantFor: (asks: Asks) => Granted;
  /** Undefined: nobody has said which keys are trusted. */
  readonly ring: KeyRing | undefined;
  /** Why a plugin without the signature of a trusted key is refused; undefined: it is not. */
  readonly signed: string | undefined;
}

const MEMORY = 16 << 20;
const DEADLINE = 100;

/**
 * The rules of a configuration, or the default ones; what is said on the command line goes before both.
 * @throws SluiceError of the configuration, SLUICE_KEY_FOLDER
 */
export async function checkRules(options: CheckRuleOptions): Promise<CheckRules> {
  const { config: file, memory, simd } = options;
  const config = file === undefined ? undefined : (await loadConfig(file)).config;
  const plugins = config?.plugins;
  const base = {
    memory: memory ?? plugins?.memoryBytes ?? MEMORY,
    deadline: plugins?.deadlineMs ?? DEADLINE,
  };
  const policy = overridden({ ...(plugins?.policy.content ?? DEFAULT_POLICY), version: 1 }, memory, simd);
  const keys = options.keys === undefined ? plugins?.keys : resolve(options.keys);
  const ring = keys === undefined ? undefined : await readKeyRing(keys);
  const mode = plugins?.signatures ?? 'auto';
  const wereInUse = config !== undefined && (await isThere(inUseMarker(config.data.dir)));
  const signed =
    mode === 'require'
      ? 'plugins.signatures is require'
      : mode === 'auto' && ((ring?.inUse ?? false) || wereInUse)
        ? `there ${ring?.inUse === true ? 'are' : 'were'} keys in ${keys}, so a signature is asked for`
        : undefined;
  return { grantFor: asks => grant(policy, asks, base), ring, signed };
}

/** What is said on the command line counts for every plugin, whatever it is granted. */
function overridden(policy: Policy, memory: number | undefined, simd: SimdRule | undefined): Policy {
  const grants = Object.entries(policy.grants).map(([name, given]) => {
    const { memory: ofMemory, simd: ofSimd, ...rest } = given;
    return [
      name,
      {
        ...rest,
        ...(memory === undefined && ofMemory !== undefined ? { memory: ofMemory } : {}),
        ...(simd === undefined && ofSimd !== undefined ? { simd: ofSimd } : {}),
      },
    ];
  });
  return { ...policy, simd: simd ?? policy.simd, grants: Object.fromEntries(grants) };
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
