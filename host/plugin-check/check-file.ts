import { readFile } from 'node:fs/promises';
import {
  type Granted,
  inspect,
  judgeComponentImports,
  judgeComponentMemories,
  type Manifest,
  moduleKind,
  parseManifest,
  type Role,
  readComponent,
  readManifest,
  readSections,
  type Section,
  SluiceError,
} from '../../runtime/index.js';
import { readModule, sha256 } from '../plugin-tools/module-file.js';
import { sidecarOf, signaturesOf } from '../plugins/folder.js';
import { isGone } from '../plugins/found.js';
import { identify } from '../plugins/offer.js';
import { readSignatures } from '../plugins/signing/signature-file.js';
import { notCovered, vouch } from '../plugins/signing/vouch.js';
import { type CheckFinding, findingOf, policyFinding } from './check-finding.js';
import { type CheckReport, exportsOf, importsOf, moduleReport, together } from './check-report.js';
import type { CheckRules } from './check-rules.js';

/** Reads a file and judges it as a gateway would, but does not stop at the first reason. Nothing of it runs. */
export async function checkFile(file: string, rules: CheckRules): Promise<CheckReport> {
  const check = new FileCheck(file, rules);
  await check.all();
  return check.report();
}

type Parts = { -readonly [key in keyof CheckReport]: CheckReport[key] };

class FileCheck {
  readonly #file: string;
  readonly #rules: CheckRules;
  readonly #findings: CheckFinding[] = [];
  readonly #parts: Partial<Parts> = {};

  constructor(file: string, rules: CheckRules) {
    this.#file = file;
    this.#rules = rules;
  }

  report(): CheckReport {
    const findings = this.#findings;
    const ok = findings.length === 0;
    const verdict = ok ? 'ok' : 'refused';
    return { file: this.#file, ok, verdict, findings, denied: [], ...this.#parts };
  }

  async all(): Promise<void> {
    const bytes = await this.#try(() => readModule(this.#file));
    if (bytes === undefined) return;
    this.#parts.bytes = bytes.length;
    this.#parts.sha256 = sha256(bytes);
    const kind = await this.#try(() => moduleKind(bytes));
    if (kind === undefined) return;
    this.#parts.kind = kind;
    const found = await this.#try(() => this.#manifest(bytes));
    if (found !== undefined) {
      this.#parts.manifest = found.manifest;
      await this.#try(() => identify(this.#file, bytes, found, []));
    }
    await this.#signature(found === undefined || found.end !== undefined);
    await this.#try(() => (kind === 'core' ? this.#core(bytes) : this.#component(bytes)));
  }

  /** What is thrown is a finding, and what follows goes on without. */
  async #try<T>(work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (thrown) {
      if (!(thrown instanceof SluiceError)) throw thrown;
      // A file that is broken is found to be so at every step.
      const known = this.#findings.some(({ code, rule }) => code === thrown.code && rule === undefined);
      if (!known) this.#findings.push(findingOf(this.#file, thrown));
      return undefined;
    }
  }

  /** Its own, else the one beside it, as in a plugin folder. */
  async #manifest(bytes: Buffer): Promise<{ manifest: Manifest; end?: number }> {
    const found = readManifest(bytes);
    if (found !== undefined) return found;
    const json = sidecarOf(this.#file);
    const text = await readFile(json).catch(thrown => {
      if (!isGone(thrown)) throw new SluiceError('SLUICE_MODULE_UNREADABLE', `${json}: ${thrown.message}`);
      const why = `carries no sluice:manifest section, and there is no ${json} beside it`;
      throw new SluiceError('SLUICE_MANIFEST_MISSING', `${this.#file} ${why}`);
    });
    return { manifest: { ...parseManifest(text), sha256: sha256(bytes) } };
  }

  async #signature(embedded: boolean): Promise<void> {
    const { ring, signed } = this.#rules;
    const signatures = await readSignatures(signaturesOf(this.#file));
    const empty = { trusted: new Map(), revoked: new Map(), inUse: false, problems: [] };
    const hash = Buffer.from(this.#parts.sha256 as string, 'hex');
    const vouched = embedded ? vouch(hash, signatures, ring ?? empty) : notCovered();
    const { state } = vouched;
    if (vouched.state === 'signed') this.#parts.signature = { state, key: vouched.key };
    else {
      this.#parts.signature = { state, why: vouched.why };
      if (signed !== undefined) {
        const error = new SluiceError(vouched.code, `${this.#file} ${vouched.why}; ${signed}`);
        this.#findings.push(findingOf(this.#file, error));
      }
    }
  }

  #core(bytes: Buffer): void {
    const { manifest } = this.#parts;
    const { facts, findings } = this.#inspect(bytes, manifest?.kind ?? 'converter');
    this.#parts.sections = sectionsOf(facts.sections);
    Object.assign(this.#parts, { imports: importsOf(facts), exports: exportsOf(facts) });
    Object.assign(this.#parts, moduleReport(facts));
    // Of which world it should be is not known then.
    const known = findings.filter(({ code }) => manifest !== undefined || code !== 'SLUICE_MODULE_EXPORT');
    this.#findings.push(...known.map(each => policyFinding(this.#file, each)));
    if (known.length === 0) this.#mustBeValid(bytes);
  }

  #component(bytes: Buffer): void {
    const { imports, exports, modules } = readComponent(bytes);
    Object.assign(this.#parts, { sections: sectionsOf(readSections(bytes)), imports, exports });
    const { rules } = this.#granted();
    const foreign = judgeComponentImports(imports, rules);
    const scanned = modules.map(module => ({ module, ...this.#inspect(module, 'inside a component') }));
    const several = judgeComponentMemories(
      scanned.map(({ facts }) => facts),
      rules,
    );
    this.#findings.push(...[...foreign, ...several].map(each => policyFinding(this.#file, each)));
    const inside = scanned.map(({ module, facts, findings }) => {
      this.#findings.push(...findings.map(each => policyFinding(this.#file, each)));
      if (findings.length === 0) this.#mustBeValid(module);
      const names = { imports: importsOf(facts), exports: exportsOf(facts) };
      return { bytes: module.length, ...names, ...moduleReport(facts) };
    });
    Object.assign(this.#parts, { modules: inside, ...together(inside) });
  }

  #inspect(bytes: Uint8Array, role: Role): ReturnType<typeof inspect> {
    return inspect(bytes, role, this.#granted().rules);
  }

  #granted(): Granted {
    const granted = this.#rules.grantFor(this.#parts.manifest ?? { name: this.#file, limits: {} });
    this.#parts.denied = granted.denied;
    return granted;
  }

  /** The last word is the engine's: types of operands are not judged by the scanner. */
  #mustBeValid(bytes: Uint8Array): void {
    if (WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>)) return;
    let why = 'the engine does not say why';
    try {
      new WebAssembly.Module(bytes as Uint8Array<ArrayBuffer>);
    } catch (thrown) {
      why = (thrown as Error).message;
    }
    throw new SluiceError('SLUICE_MODULE_COMPILE', `${this.#file}: ${why}`);
  }
}

function sectionsOf(sections: readonly Section[]): NonNullable<CheckReport['sections']> {
  return sections.map(({ name, id, offset, end }) => ({ section: name ?? id, bytes: end - offset }));
}
