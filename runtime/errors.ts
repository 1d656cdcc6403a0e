import { ADMIN_ERRORS } from './errors/admin-errors.js';
import { CONFIG_ERRORS } from './errors/config-errors.js';
import type { ErrorRow } from './errors/error-row.js';
import { GUEST_ERRORS } from './errors/guest-errors.js';
import { MODULE_ERRORS } from './errors/module-errors.js';
import { PLUGIN_ERRORS } from './errors/plugin-errors.js';
import { SANDBOX_ERRORS } from './errors/sandbox-errors.js';
import { SIGNATURE_ERRORS } from './errors/signature-errors.js';
import { SINK_ERRORS } from './errors/sink-errors.js';
import { SOURCE_ERRORS } from './errors/source-errors.js';
import { STORE_ERRORS } from './errors/store-errors.js';

export type { ErrorRow };

/**
 * All coded errors, out of one table for each subject. `sluice errors CODE` prints a row; a test holds that every code
 * used in the tree is in here once, and that every row is used and has a cause and a remedy.
 */
export const ERRORS = {
  ...SANDBOX_ERRORS,
  ...MODULE_ERRORS,
  ...SIGNATURE_ERRORS,
  ...PLUGIN_ERRORS,
  ...GUEST_ERRORS,
  ...CONFIG_ERRORS,
  ...SOURCE_ERRORS,
  ...SINK_ERRORS,
  ...STORE_ERRORS,
  ...ADMIN_ERRORS,
} as const satisfies Readonly<Record<string, ErrorRow>>;

export type ErrorCode = keyof typeof ERRORS;

/** The life-cycle step at which a plugin failed. */
export type Step =
  | 'admit'
  | 'compile'
  /** The manifest's test vectors, and frames of before, before it may serve. */
  | 'vectors'
  | 'shadow'
  | 'link'
  | 'start'
  | 'configure'
  | 'run'
  | 'flush'
  | 'export-state'
  | 'import-state';

/** One thing about a module or an HTTP message that a policy does not allow. */
export interface Finding {
  readonly code: ErrorCode;
  /** Version of the policy. */
  readonly policy: number;
  /** The line that forbids it: its path and what it says, such as `policy.simd: integer`. */
  readonly rule: string;
  /** What was found, such as `f32x4.mul`. */
  readonly found: string;
  /** How often this rule is broken; the findings of one rule may be fewer. */
  readonly total: number;
  /** What the rule says, as a sentence. */
  readonly why: string;
  /** What to do about it. */
  readonly fix: string;
  /** Of an instruction its name. */
  readonly opcode?: string;
  /** Byte from the start of the file. */
  readonly offset?: number;
  /** Index of the function, imported ones counted. */
  readonly function?: number;
  /** Name of the function, where the file tells it. */
  readonly name?: string;
}

/** A coded failure as plain data: crosses threads without losing its code. */
export interface Fault {
  readonly code: ErrorCode;
  readonly message: string;
  readonly step?: Step;
  /** Name of the plugin, where one is concerned. */
  readonly plugin?: string;
  /** What a policy does not allow, where that is the reason. */
  readonly findings?: readonly Finding[];
}

/** An error with a code of the table. Its message says what, where and why; the remedy is in the table. */
export class SluiceError extends Error {
  readonly code: ErrorCode;
  readonly step: Step | undefined;
  readonly plugin: string | undefined;
  readonly findings: readonly Finding[] | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    where: { step?: Step; plugin?: string; findings?: readonly Finding[]; cause?: unknown } = {},
  ) {
    super(message, where.cause === undefined ? undefined : { cause: where.cause });
    this.name = 'SluiceError';
    this.code = code;
    this.step = where.step;
    this.plugin = where.plugin;
    this.findings = where.findings;
  }

  get remedy(): string {
    return ERRORS[this.code].remedy;
  }

  toFault(): Fault {
    return {
      code: this.code,
      message: this.message,
      ...(this.step === undefined ? {} : { step: this.step }),
      ...(this.plugin === undefined ? {} : { plugin: this.plugin }),
      ...(this.findings === undefined ? {} : { findings: this.findings }),
    };
  }

  static fromFault(fault: Fault): SluiceError {
    return new SluiceError(fault.code, fault.message, {
      ...(fault.step === undefined ? {} : { step: fault.step }),
      ...(fault.plugin === undefined ? {} : { plugin: fault.plugin }),
      ...(fault.findings === undefined ? {} : { findings: fault.findings }),
    });
  }
}

/** Any thrown value as a coded fault; what carries no code becomes SLUICE_INTERNAL. */
export function faultOf(thrown: unknown): Fault {
  if (thrown instanceof SluiceError) return thrown.toFault();
  return { code: 'SLUICE_INTERNAL', message: thrown instanceof Error ? thrown.message : String(thrown) };
}
