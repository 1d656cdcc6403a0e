// The configuration: {"tags":[{"name","register","type","order"?,"scale"?,"offset"?,"unit"?,"function"?}]}.
import {
  byteAt, endText, Fault, Json, keep, keepText, Kind, lengthOf, putByte, putJson, putU32, Result, startText, Text,
} from "../../sdk-as/assembly";
import { putLiteral, say } from "./faults";

/** Place of a name in its list below. */
export const enum Type { Bool, U16, I16, U32, I32, U64, I64, F32, F64 }
const TYPES = "bool u16 i16 u32 i32 u64 i64 f32 f64";
/** Order in which the bytes of the value ABCD stand on the wire. */
export const enum Order { Abcd, Badc, Cdab, Dcba }
const ORDERS = "abcd badc cdab dcba";

@unmanaged
export class Tag {
  next: Tag | null;
  register: u32;
  /** Registers (or bits) that it takes. */
  span: u32;
  type: u32;
  order: u32;
  /** Bit n: replies of function n may carry it. */
  functions: u32;
  scaled: bool;
  scale: f64;
  offset: f64;
  /** {"name":...,"value": */
  head: Text;
  /** ,"type":...,"unit":...,"quality":" */
  tail: Text;
}

export let firstTag: Tag | null = null;

let at: u32 = 0;
let name: Text = 0;
let unit: Text = 0;
let result: Result = changetype<Result>(0);

/** False if it cannot be used; then `answer` holds the fault. */
export function readTags(config: Text, answer: Result): bool {
  result = answer;
  firstTag = null;
  let last: Tag | null = null;
  Json.open(config);
  if (lengthOf(config) == 0) return true;
  if (Json.kind() != Kind.Object) return refuse("the configuration is not an object", 0);
  Json.enter();
  while (Json.more()) {
    const key = Json.key();
    if (placeIn("tags", key) < 0) return refuse("is not known; known is tags", key);
    if (Json.kind() != Kind.Array) return refuse("tags is not a list", 0);
    Json.enter();
    for (at = 0; Json.more(); at++) {
      name = 0;
      const tag = readTag();
      if (tag == null) return false;
      if (last == null) firstTag = tag;
      else last.next = tag;
      last = tag;
    }
  }
  return Json.failed() ? refuse("the configuration is not JSON", 0) : true;
}

function readTag(): Tag | null {
  const tag = changetype<Tag>(keep(offsetof<Tag>()));
  memory.fill(changetype<usize>(tag), 0, offsetof<Tag>());
  tag.scale = 1;
  unit = 0;
  let register: f64 = -1;
  let code: f64 = 0;
  let type = -1;
  if (Json.kind() != Kind.Object) return none("is not an object", 0);
  Json.enter();
  while (Json.more()) {
    const key = Json.key();
    const field = placeIn("name register type order scale offset unit function", key);
    const isText = field == 0 || field == 2 || field == 3 || field == 6;
    if (field < 0) return none("is not known", key);
    if (Json.kind() != (isText ? Kind.String : Kind.Number)) return none(isText ? "is not a text" : "is not a number", key);
    const word = isText ? Json.string() : 0;
    const number = isText ? 0 : Json.number();
    if (field == 0) name = word;
    else if (field == 1) register = number;
    else if (field == 2) type = placeIn(TYPES, word);
    else if (field == 3) tag.order = placeIn(ORDERS, word);
    else if (field == 4) tag.scale = number;
    else if (field == 5) tag.offset = number;
    else if (field == 6) unit = word;
    else code = number;
    if (field == 2 && type < 0) return none("type is none of bool, u16, i16, u32, i32, u64, i64, f32, f64", word);
    if (field == 3 && <i32>tag.order < 0) return none("order is none of abcd, badc, cdab, dcba", word);
    if (field == 7 && !(code == 1 || code == 2 || code == 3 || code == 4)) return none("function is none of 1, 2, 3, 4", 0);
    if (number - number != 0) return none("is too large", key);
  }
  if (Json.failed()) return none("is not JSON", 0);
  if (lengthOf(name) == 0) return none("name is missing", 0);
  if (type < 0) return none("type is missing", 0);
  tag.type = type;
  tag.span = type < Type.U32 ? 1 : type < Type.U64 || type == Type.F32 ? 2 : 4;
  if (!(register >= 0 && register + tag.span <= 65536) || register != Math.floor(register)) {
    return none(register == -1 ? "register is missing" : "register is not a whole number whose registers lie in 0 to 65535", 0);
  }
  tag.register = <u32>register;
  tag.scaled = tag.scale != 1 || tag.offset != 0;
  if (type == Type.Bool && tag.scaled) return none("a bool has no scale or offset", 0);
  if (type != Type.Bool && (code == 1 || code == 2)) return none("functions 1 and 2 carry bits: type has to be bool", 0);
  tag.functions = code != 0 ? 1 << <u32>code : type == Type.Bool ? 0b11110 : 0b11000;
  writeTexts(tag);
  return tag;
}

/** What of a point does not change is put together once. */
function writeTexts(tag: Tag): void {
  let p = putLiteral(startText(), '{"name":');
  tag.head = keepText(endText(putLiteral(putJson(p, name), ',"value":')));
  p = putLiteral(startText(), ',"type":"');
  // A scaled integer is an integer no more.
  p = putWord(p, TYPES, tag.scaled && tag.type != Type.F32 ? Type.F64 : tag.type);
  p = putLiteral(p, '"');
  if (lengthOf(unit) > 0) p = putJson(putLiteral(p, ',"unit":'), unit);
  tag.tail = keepText(endText(putLiteral(p, ',"quality":"')));
}

/** Place of `word` in a list of words parted by one space, or -1. */
function placeIn(list: string, word: Text): i32 {
  let place = 0;
  for (let i = 0; i < list.length; i++, place++) {
    let same = true;
    let n: u32 = 0;
    for (; i < list.length && list.charCodeAt(i) != 0x20; i++, n++) {
      if (n >= lengthOf(word) || byteAt(word, n) != list.charCodeAt(i)) same = false;
    }
    if (same && n == lengthOf(word)) return place;
  }
  return -1;
}

function putWord(p: usize, list: string, place: u32): usize {
  let i = 0;
  for (; place > 0; i++) if (list.charCodeAt(i) == 0x20) place--;
  for (; i < list.length && list.charCodeAt(i) != 0x20; i++) p = putByte(p, list.charCodeAt(i));
  return p;
}

function none(why: string, field: Text): Tag | null {
  // Which tag: its place, and its name where that is known by now.
  let p = putLiteral(putU32(putLiteral(startText(), "tags["), at), "]");
  if (lengthOf(name) > 0) p = putJson(putLiteral(p, " "), name);
  p = putLiteral(p, ": ");
  if (lengthOf(field) > 0) p = putLiteral(putJson(p, field), " ");
  result.fault(Fault.Configuration, endText(putLiteral(p, why)));
  return null;
}

function refuse(why: string, field: Text): bool {
  if (lengthOf(field) == 0) {
    result.fault(Fault.Configuration, say(why));
  } else {
    const p = putLiteral(putJson(startText(), field), " ");
    result.fault(Fault.Configuration, endText(putLiteral(p, why)));
  }
  return false;
}
