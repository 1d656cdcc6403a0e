import type { ErrorCode, Finding } from '../../errors.js';
import type { Ceilings } from '../ceilings.js';
import type { Rules } from '../rules.js';
import type { ModuleFacts, Place } from '../scan/facts.js';

/** One thing that has a ceiling, as it is in a module. */
interface Measured {
  readonly of: keyof Ceilings;
  readonly value: number;
  /** With the value, as a reader wants it. */
  readonly found: string;
  readonly fix: string;
  readonly place?: Place;
  readonly code?: ErrorCode;
}

const STRIP = 'strip debug information (wasm-strip, or clang: -Wl,--strip-debug)';
const SPLIT = 'split the function';
const SMALLER = 'build for size and leave out what is not needed';

/** Everything of which a module has more than its ceiling. */
export function judgeCeilings(facts: ModuleFacts, rules: Rules): Finding[] {
  return [...judgeFile(facts.bytes, rules), ...above(measure(facts), rules)];
}

/** The ceiling that is looked at before the file is read. @param size bytes */
export function judgeFile(size: number, rules: Rules): Finding[] {
  const found = `a file of ${size} bytes`;
  return above([{ of: 'file', value: size, found, fix: STRIP, code: 'SLUICE_MODULE_TOO_LARGE' }], rules);
}

function above(all: readonly Measured[], { ceilings, policy }: Rules): Finding[] {
  return all
    .filter(({ of, value }) => value > ceilings.is[of])
    .map(({ of, found, fix, place, code = 'SLUICE_MODULE_CEILING' }) => ({
      code,
      policy,
      rule: `${ceilings.rule}.${of}: ${ceilings.is[of]}`,
      found,
      total: 1,
      why: `policy ${policy} allows ceilings.${of}: ${ceilings.is[of]}`,
      fix: `${fix}, or raise ${ceilings.allow?.replace('*', of)}`,
      ...(place === undefined ? {} : placeOf(place)),
    }));
}

function measure(facts: ModuleFacts): readonly Measured[] {
  const { functions, body, nesting, locals, tables, globals, data, elements, custom } = facts;
  const table = 'SLUICE_MODULE_TABLE';
  return [
    { of: 'functions', value: functions, found: `${functions} functions`, fix: SMALLER },
    { of: 'body', value: body.value, found: `a body of ${body.value} bytes`, fix: SPLIT, place: body },
    {
      of: 'nesting',
      value: nesting.value,
      found: `blocks nested ${nesting.value} deep`,
      fix: SPLIT,
      place: nesting,
    },
    { of: 'locals', value: locals.value, found: `${locals.value} locals`, fix: SPLIT, place: locals },
    {
      of: 'tables',
      value: tables.length,
      found: `${tables.length} tables`,
      fix: 'use fewer',
      code: table,
    },
    ...tables.map(
      ({ min, start }): Measured => ({
        of: 'tableEntries',
        value: min,
        found: `a table of ${min} entries`,
        fix: 'build with a smaller table',
        place: { offset: start },
        code: table,
      }),
    ),
    { of: 'globals', value: globals, found: `${globals} globals`, fix: 'keep data in memory' },
    { of: 'dataSegments', value: data.segments, found: `${data.segments} data segments`, fix: SMALLER },
    { of: 'data', value: data.bytes, found: `${data.bytes} bytes of data`, fix: SMALLER },
    { of: 'elements', value: elements.entries, found: `${elements.entries} elements`, fix: SMALLER },
    { of: 'customSections', value: custom.sections, found: `${custom.sections} custom sections`, fix: STRIP },
    { of: 'custom', value: custom.bytes, found: `${custom.bytes} bytes of custom sections`, fix: STRIP },
  ];
}

/** Without the value of a peak. */
function placeOf({ offset, function: index }: Place): Place {
  return index === undefined ? { offset } : { offset, function: index };
}
