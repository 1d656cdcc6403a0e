import type { CheckFinding } from './check-finding.js';
import type { CheckReport, ModuleReport } from './check-report.js';

/** Instructions that are written out. */
const SHOWN = 12;

/** A report for people. */
export function showReport(report: CheckReport): string {
  const { file, ok, bytes, kind, sha256, manifest, signature, sections = [] } = report;
  const { imports, exports, modules = [], denied, findings } = report;
  const lines = [`${file}: ${ok ? 'ok' : 'refused'}`, ...showFindings(file, findings)];
  if (manifest !== undefined) {
    lines.push(
      row('plugin', `${manifest.name} ${manifest.version}, ${manifest.kind} of contract ${manifest.abi}`),
      row('accepts', list(manifest.accepts)),
      row('made by', `${manifest.toolchain ?? 'not said'}, source ${manifest.source ?? 'not said'}`),
      row('vectors', String(manifest.vectors?.length ?? 0)),
    );
  }
  if (bytes !== undefined) {
    const what = kind === undefined ? '' : kind === 'core' ? ', core module' : ', component';
    lines.push(row('file', `${bytes} bytes${what}, sha256 ${sha256}`));
  }
  if (signature !== undefined) {
    const { key, why } = signature;
    lines.push(row('signature', why === undefined ? `by the trusted key ${key}` : why.replace(/^is /, '')));
  }
  for (const each of denied) lines.push(row('denied', each));
  if (sections.length > 0)
    lines.push(row('sections', list(sections.map(each => `${each.section} (${each.bytes})`))));
  if (imports !== undefined) lines.push(row('imports', list(imports)));
  if (exports !== undefined) lines.push(row('exports', list(exports)));
  if (isScanned(report) && modules.length === 0) lines.push(...showModule(report));
  for (const inside of modules) {
    lines.push(row('inside', `a core module of ${inside.bytes} bytes`));
    const about = [row('imports', list(inside.imports)), row('exports', list(inside.exports))];
    lines.push(...[...about, ...showModule(inside)].map(line => `  ${line}`));
  }
  return `${lines.join('\n')}\n`;
}

function isScanned(report: Partial<ModuleReport>): report is ModuleReport {
  return report.opcodes !== undefined;
}

function showModule({ functions, memory, tables, data, features, opcodes }: ModuleReport): string[] {
  const limits = ({ min, max }: { min: number; max?: number }) =>
    max === undefined ? `${min} and more` : min === max ? `${min}` : `${min} to ${max}`;
  const counts = Object.entries(opcodes);
  const shown = counts.slice(0, SHOWN).map(([name, count]) => `${name} ${count}`);
  const rest = counts.length - SHOWN;
  return [
    row('memory', list(memory.map(each => `${limits(each)} pages${each.shared ? ', shared' : ''}`))),
    row('tables', list(tables.map(each => `${limits(each)} entries`))),
    row('code', `${functions} functions; ${data} bytes of data`),
    row('features', list(features)),
    row('opcodes', `${list(shown)}${rest > 0 ? `, and ${rest} others (--json has all)` : ''}`),
  ];
}

/** Each rule once, with all places where it is broken. */
function showFindings(file: string, findings: readonly CheckFinding[]): string[] {
  const rules = Map.groupBy(findings, ({ code, rule, message }) => `${code} ${rule ?? message}`);
  return [...rules.values()].flatMap(group => {
    const [first] = group as [CheckFinding, ...CheckFinding[]];
    const { code, rule, message, remedy, why, total = 1 } = first;
    if (rule === undefined || why === undefined)
      return [`  ${code}: ${message.replace(`${file}: `, '')}`, `    ${remedy}`];
    const more = total > group.length ? ` (${total}, the first ${group.length} are listed)` : '';
    return [`  ${code}: ${why}${more}`, ...group.map(place), `    ${remedy}`];
  });
}

function place({ found, offset, function: index, name }: CheckFinding): string {
  const at = offset === undefined ? '' : ` at byte ${offset}`;
  const where = index === undefined ? '' : ` in function ${index}${name === undefined ? '' : ` ${name}`}`;
  return `    ${printable(`${found}${at}${where}`)}`;
}

function row(what: string, text: string): string {
  return `  ${what.padEnd(9)} ${printable(text)}`;
}

function list(items: readonly string[]): string {
  return items.length === 0 ? 'none' : items.join(', ');
}

/** Names come from strangers: nothing of them steers a terminal. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a terminal must not be given
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
