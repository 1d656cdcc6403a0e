import { type Fault, type Policy, SluiceError } from '../../runtime/index.js';
import type { PolicyConfig } from '../config/config.js';
import type { Reporter } from '../telemetry/reporter.js';
import { PolicyFile } from './policy-file.js';
import { PolicyKeeper } from './policy-keeper.js';

export interface PolicyControlParts {
  readonly config: PolicyConfig;
  readonly report: Reporter;
  /** Another policy is in force. */
  readonly changed: (policy: Policy) => void;
  readonly refused: (fault: Fault, file: string) => void;
}

/** The policy in force, where it stands, and how it comes to change. */
export class PolicyControl {
  readonly keeper: PolicyKeeper;
  readonly #parts: PolicyControlParts;
  readonly #file: PolicyFile | undefined;
  #refusal: Fault | undefined;

  constructor(parts: PolicyControlParts) {
    this.#parts = parts;
    const { content, file } = parts.config;
    this.keeper = new PolicyKeeper(content);
    if (file === undefined) return;
    this.#file = new PolicyFile(file, {
      changed: next => {
        this.#refusal = undefined;
        if (!this.keeper.replace(next)) return;
        parts.report.info(`policy ${this.keeper.current.version} is in force, from ${file.path}`);
        parts.changed(this.keeper.current);
      },
      refused: error => this.#refused(error),
    });
  }

  /** Undefined: it stands in the configuration, or nobody has written one. */
  get file(): string | undefined {
    return this.#file?.path;
  }

  /** Why the file as it is now is not what is in force. */
  get refusal(): Fault | undefined {
    return this.#refusal;
  }

  async start(): Promise<void> {
    await this.#file?.start();
  }

  async stop(): Promise<void> {
    await this.#file?.stop();
  }

  /**
   * Writes the file and takes it up.
   * @throws SluiceError SLUICE_POLICY_INVALID, SLUICE_POLICY_NO_FILE, SLUICE_ADMIN_STORE
   */
  async write(text: string): Promise<void> {
    if (this.#file !== undefined) return this.#file.write(text);
    throw new SluiceError('SLUICE_POLICY_NO_FILE', 'the policy does not stand in a file of its own');
  }

  #refused(error: SluiceError): void {
    const { version } = this.keeper.current;
    const file = this.file as string;
    const message = `${file} is refused, and policy ${version} stays in force: ${error.message}`;
    this.#refusal = { ...error.toFault(), message };
    this.#parts.report.fault(this.#refusal, { file }, 'error');
    this.#parts.refused(this.#refusal, file);
  }
}
