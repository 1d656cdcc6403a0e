// The configuration: {"tags":[{"name","register","type","order"?,"scale"?,"offset"?,"unit"?,"function"?}]}.
import {
  endText, Fault, Json, keep, keepText, Kind, lengthOf, put, putByte, putFilled, putJson, Result, startText, Text, text,
} from "../../sdk-as/assembly";
import { placeIn, wordOf } from "./words";

/** Place of a name in TYPES. A whole number with a sign is even. */
export const enum Type { Bool, U16, I16, U32, I32, U64, I64, F32, F64 }
const TYPES = text("bool,u16,i16,u32,i32,u64,i64,f32,f64");
/** In which order the bytes of the value ABCD stand on the wire: the bits of a place in ORDERS. */
export const enum Order { BytesTurned = 1, WordsTurned = 2 }
const ORDERS = text("abcd,badc,cdab,dcba");

/** Place of a name in FIELDS; the first four are texts. */
const enum Field { Name, Type, Order, Unit, Register, Scale, Offset, Function }
const FIELDS = text("name,type,order,unit,register,scale,offset,function");
/** What the tag that is being read has said: eight bytes for each field, a Text or an f64. */
const said: usize = memory.data(64);

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

/** Which tag is being read; -1 in front of them. */
let at: i32 = -1;
let result: Result = changetype<Result>(0);

/** False if it cannot be used; then `answer` holds the fault. */
export function readTags(config: Text, answer: Result): bool {
  result = answer;
  firstTag = null;
  at = -1;
  if (lengthOf(config) == 0) return true;
  let last: Tag | null = null;
  Json.open(config);
  if (Json.kind() != Kind.Object) return refuse(text("the configuration"), 0, text("is not an object"));
  Json.enter();
  while (Json.more()) {
    const key = Json.key();
    const known = text("tags");
    if (placeIn(known, key) < 0) return refuse(0, key, text("is none of "), known);
    if (Json.kind() != Kind.Array) return refuse(known, 0, text("is not a list"));
    Json.enter();
    for (at = 0; Json.more(); at++) {
      const tag = changetype<Tag>(keep(offsetof<Tag>()));
      if (!readFields() || !makeTag(tag)) return false;
      if (last == null) firstTag = tag;
      else last.next = tag;
      last = tag;
    }
    at = -1;
  }
  return Json.failed() ? refuse(text("the configuration"), 0, text("is not JSON")) : true;
}

function readFields(): bool {
  memory.fill(said, 0, 64);
  store<f64>(said + 8 * Field.Register, -1);
  store<f64>(said + 8 * Field.Scale, 1);
  if (Json.kind() != Kind.Object) return refuse(0, 0, text("is not an object"));
  Json.enter();
  while (Json.more()) {
    const key = Json.key();
    const field = placeIn(FIELDS, key);
    if (field < 0) return refuse(0, key, text("is none of "), FIELDS);
    const slot = said + (<usize>field << 3);
    if (field < Field.Register) {
      if (Json.kind() != Kind.String) return refuse(key, 0, text("is not a text"));
      store<Text>(slot, Json.string());
    } else {
      if (Json.kind() != Kind.Number) return refuse(key, 0, text("is not a number"));
      const number = Json.number();
      if (number - number != 0) return refuse(key, 0, text("is too large"));
      if (field == Field.Function && !isWhole(number, 1, 4)) return refuse(key, 0, text("is none of 1,2,3,4"));
      store<f64>(slot, number);
    }
  }
  return Json.failed() ? refuse(0, 0, text("is not JSON")) : true;
}

// @ts-ignore: decorator
@inline
function textSaid(field: Field): Text {
  return load<Text>(said + 8 * field);
}

// @ts-ignore: decorator
@inline
function numberSaid(field: Field): f64 {
  return load<f64>(said + 8 * field);
}

function isWhole(number: f64, from: f64, to: f64): bool {
  return number >= from && number <= to && Math.floor(number) == number;
}

/** The tag of what was said; `keep` does not clear its memory. */
function makeTag(tag: Tag): bool {
  const type = placeIn(TYPES, textSaid(Field.Type));
  const order = lengthOf(textSaid(Field.Order)) == 0 ? 0 : placeIn(ORDERS, textSaid(Field.Order));
  const span = type < Type.U32 ? 1 : type < Type.U64 || type == Type.F32 ? 2 : 4;
  const code = <u32>numberSaid(Field.Function);
  const scaled = numberSaid(Field.Scale) != 1 || numberSaid(Field.Offset) != 0;
  if (lengthOf(textSaid(Field.Name)) == 0) return refuse(text("name"), 0, text("is missing"));
  if (type < 0) return refuse(text("type"), textSaid(Field.Type), text("is none of "), TYPES);
  if (order < 0) return refuse(text("order"), textSaid(Field.Order), text("is none of "), ORDERS);
  if (!isWhole(numberSaid(Field.Register), 0, 65536 - span)) {
    return refuse(text("register"), 0, text("has to be a whole number whose registers lie in 0 to 65535"));
  }
  if (type == Type.Bool) {
    if (scaled) return refuse(0, 0, text("a bool has no scale or offset"));
  } else if (code == 1 || code == 2) {
    return refuse(0, 0, text("functions 1 and 2 carry bits: type has to be bool"));
  }
  tag.next = null;
  tag.register = <u32>numberSaid(Field.Register);
  tag.span = span;
  tag.type = type;
  tag.order = order;
  tag.functions = code != 0 ? 1 << code : type == Type.Bool ? 0b11110 : 0b11000;
  tag.scaled = scaled;
  tag.scale = numberSaid(Field.Scale);
  tag.offset = numberSaid(Field.Offset);
  // What of a point does not change is put together once.
  let p = putJson(put(startText(), text('{"name":')), textSaid(Field.Name));
  tag.head = keepText(endText(put(p, text(',"value":'))));
  // A scaled integer is an integer no more.
  p = put(put(startText(), text(',"type":"')), wordOf(TYPES, scaled && type != Type.F32 ? Type.F64 : type));
  p = putByte(p, 0x22);
  if (lengthOf(textSaid(Field.Unit)) > 0) p = putJson(put(p, text(',"unit":')), textSaid(Field.Unit));
  tag.tail = keepText(endText(put(p, text(',"quality":"'))));
  return true;
}

/** tags[3] "name": field "word" why list */
function refuse(field: Text, word: Text, why: Text, list: Text = 0): bool {
  let p = startText();
  if (at >= 0) {
    p = putFilled(p, text("tags[#]"), at);
    // Its name where that is known by now.
    if (lengthOf(textSaid(Field.Name)) > 0) p = putJson(putByte(p, 0x20), textSaid(Field.Name));
    p = put(p, text(": "));
  }
  if (lengthOf(field) > 0) p = putByte(put(p, field), 0x20);
  if (lengthOf(word) > 0) p = putByte(putJson(p, word), 0x20);
  result.fault(Fault.Configuration, endText(put(put(p, why), list)));
  return false;
}
