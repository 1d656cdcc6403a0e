import { SluiceError } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import type { Reader } from './reader.js';
import type { Features } from './tally.js';
import type { TypeReader } from './value-types.js';

const FUNC = 0x60;
const STRUCT = 0x5f;
const ARRAY = 0x5e;
const SUB = 0x50;
const SUB_FINAL = 0x4f;
const REC = 0x4e;

/**
 * The type section (core specification 5.5.4): `params:results` of function types, `struct` or `array` of others.
 * Equal texts are one string, and there is a ceiling on all values together: memory stays small.
 */
export function readTypes(reader: Reader, values: TypeReader, features: Features): string[] {
  const types: string[] = [];
  const texts = new Map<string, string>();
  let budget: number = LIMITS.typeValues;

  const list = (what: string): string => {
    const from = reader.at;
    const count = reader.count(LIMITS.values, what);
    budget -= count;
    if (budget < 0) {
      throw new SluiceError(
        'SLUICE_MODULE_CEILING',
        `at byte ${from}: the ceiling is ${LIMITS.typeValues} parameters, results and fields of all types together, which no policy raises`,
      );
    }
    if (count === 0) return '';
    let text = values.value(reader);
    for (let left = count - 1; left > 0; left--) text += `,${values.value(reader)}`;
    if (count > 1 && what === 'results') features.note('multi-value', from);
    return text;
  };

  const composite = (): string => {
    const { at } = reader;
    const form = reader.byte();
    if (form === FUNC) return `${list('parameters')}:${list('results')}`;
    features.note('gc', at);
    if (form === ARRAY) {
      values.storage(reader);
      return 'array';
    }
    if (form !== STRUCT) {
      const what = `the form of type 0x${form.toString(16)}`;
      throw new SluiceError('SLUICE_MODULE_FEATURE', `at byte ${at}: ${what}, which plugins may not use`);
    }
    for (let left = reader.count(LIMITS.fields, 'fields'); left > 0; left--) values.storage(reader);
    return 'struct';
  };

  const subtype = (): void => {
    const form = reader.peek();
    if (form === SUB || form === SUB_FINAL) {
      features.note('gc', reader.at);
      reader.at++;
      for (let left = reader.length('supertypes'); left > 0; left--) reader.u32();
    }
    const { at } = reader;
    const text = composite();
    if (types.length === LIMITS.types) {
      throw new SluiceError(
        'SLUICE_MODULE_CEILING',
        `at byte ${at}: the ceiling is ${LIMITS.types} types, which no policy raises`,
      );
    }
    const known = texts.get(text);
    if (known === undefined) texts.set(text, text);
    types.push(known ?? text);
  };

  for (let left = reader.count(LIMITS.types, 'types'); left > 0; left--) {
    if (reader.peek() !== REC) {
      subtype();
      continue;
    }
    features.note('gc', reader.at);
    reader.at++;
    for (let inside = reader.count(LIMITS.types, 'types'); inside > 0; inside--) subtype();
  }
  return types;
}
