// The configuration: {"tags":[{"name","register","type","order"?,"scale"?,"offset"?,"unit"?,"function"?}]}.
import {
  endText, Fault, Json, keep, keepText, Kind, lengthOf, put, putByte, putFilled, putJson, Result, startText, Text, text,
} from "../../sdk-as/assembly";
import { placeIn, wordOf } from "./words";

// Each list is the end of the text that says what else is wrong: n bytes less, n bytes further on.
const SKIP: u64 = 0xffffffff;
const NO_FIELD = text("is none of name,type,order,unit,register,scale,offset,function");
const FIELDS = NO_FIELD - SKIP * 11;
/** Place of a name in FIELDS; the first four are texts. */
const enum Field { Name, Type, Order, Unit, Register, Scale, Offset, Function }

const NO_TYPE = text("type is none of bool,u16,i16,u32,i32,u64,i64,f32,f64");
const TYPES = NO_TYPE - SKIP * 16;
/** Place of a name in TYPES. A whole number with a sign is even. */
export const enum Type { Bool, U16, I16, U32, I32, U64, I64, F32, F64 }

const NO_ORDER = text("order is none of abcd,badc,cdab,dcba");
const ORDERS = NO_ORDER - SKIP * 17;
/** In which order the bytes of the value ABCD stand on the wire: the bits of a place in ORDERS. */
export const enum Order { BytesTurned = 1, WordsTurned = 2 }

@unmanaged
export class Tag {
  // As it is said: in the order of Field. Texts live as long as the call.
  name: Text;
  typeName: Text;
  orderName: Text;
  unit: Text;
  registerSaid: f64;
  scale: f64;
  offset: f64;
  functionSaid: f64;
  // What it means.
  /** {"name":...,"value": */
  head: Text;
  /** ,"type":...,"unit":...,"quality":" */
  tail: Text;
  next: Tag | null;
  register: u32;
  /** Registers (or bits) that it takes. */
  span: u32;
  type: u32;
  order: u32;
  /** Bit n: replies of function n may carry it. */
  functions: u32;
  scaled: bool;
}

export let firstTag: Tag | null = null;

/** The tag that is being read, and its place. */
let tag: Tag | null = null;
let place: u32 = 0;
let result: Result = changetype<Result>(0);

/** False if it cannot be used; then `answer` holds the fault. */
export function readTags(config: Text, answer: Result): bool {
  result = answer;
  firstTag = null;
  tag = null;
  if (lengthOf(config) == 0) return true;
  let last: Tag | null = null;
  Json.open(config);
  if (Json.kind() != Kind.Object) return refuse(text("the configuration is not an object"));
  Json.enter();
  while (Json.more()) {
    const key = Json.key();
    if (placeIn(text("tags"), key) < 0) return refuse(text("is none of tags"), key);
    if (Json.kind() != Kind.Array) return refuse(text("tags is not a list"));
    Json.enter();
    for (place = 0; Json.more(); place++) {
      const next = changetype<Tag>(keep(offsetof<Tag>()));
      tag = next;
      if (!readFields(next) || !understand(next)) return false;
      if (last == null) firstTag = next;
      else last.next = next;
      last = next;
    }
    tag = null;
  }
  return Json.failed() ? refuse(text("the configuration is not JSON")) : true;
}

function readFields(tag: Tag): bool {
  memory.fill(changetype<usize>(tag), 0, offsetof<Tag>());
  tag.registerSaid = -1;
  tag.scale = 1;
  if (Json.kind() != Kind.Object) return refuse(text("is not an object"));
  Json.enter();
  while (Json.more()) {
    const key = Json.key();
    const field = placeIn(FIELDS, key);
    if (field < 0) return refuse(NO_FIELD, key);
    const slot = changetype<usize>(tag) + (<usize>field << 3);
    if (field < Field.Register) {
      if (Json.kind() != Kind.String) return refuse(text("is not a text"), key);
      store<Text>(slot, Json.string());
    } else {
      if (Json.kind() != Kind.Number) return refuse(text("is not a number"), key);
      const number = Json.number();
      if (number - number != 0) return refuse(text("is too large"), key);
      if (field == Field.Function && !isWhole(number, 1, 4)) return refuse(text("is none of 1,2,3,4"), key);
      store<f64>(slot, number);
    }
  }
  return Json.failed() ? refuse(text("is not JSON")) : true;
}

function isWhole(number: f64, from: i32, to: i32): bool {
  return number >= from && number <= to && Math.floor(number) == number;
}

function understand(tag: Tag): bool {
  const type = placeIn(TYPES, tag.typeName);
  const order = lengthOf(tag.orderName) == 0 ? 0 : placeIn(ORDERS, tag.orderName);
  const span = type < Type.U32 ? 1 : type < Type.U64 || type == Type.F32 ? 2 : 4;
  const code = <i32>tag.functionSaid;
  const scaled = tag.scale != 1 || tag.offset != 0;
  if (lengthOf(tag.name) == 0) return refuse(text("name is missing"));
  if (type < 0) return refuse(NO_TYPE, tag.typeName);
  if (order < 0) return refuse(NO_ORDER, tag.orderName);
  if (!isWhole(tag.registerSaid, 0, 65536 - span)) {
    return refuse(text("register has to be a whole number whose registers lie in 0 to 65535"));
  }
  if (type == Type.Bool) {
    if (scaled) return refuse(text("a bool has no scale or offset"));
  } else if (code == 1 || code == 2) {
    return refuse(text("functions 1 and 2 carry bits: type has to be bool"));
  }
  tag.register = <u32>tag.registerSaid;
  tag.span = span;
  tag.type = type;
  tag.order = order;
  tag.functions = code != 0 ? 1 << code : type == Type.Bool ? 0b11110 : 0b11000;
  tag.scaled = scaled;
  // What of a point does not change is put together once.
  let p = putJson(put(startText(), text('{"name":')), tag.name);
  tag.head = keepText(endText(put(p, text(',"value":'))));
  // A scaled integer is an integer no more.
  p = put(put(startText(), text(',"type":"')), wordOf(TYPES, scaled && type != Type.F32 ? Type.F64 : type));
  if (lengthOf(tag.unit) > 0) p = putJson(put(p, text('","unit":')), tag.unit);
  else p = putByte(p, 0x22);
  tag.tail = keepText(endText(put(p, text(',"quality":"'))));
  return true;
}

/** tags[3] "name": "word" why. The name where it is known by now. */
function refuse(why: Text, word: Text = 0): bool {
  let p = startText();
  if (tag != null) {
    p = putFilled(p, text("tags[#]"), place);
    if (lengthOf(tag!.name) > 0) p = putJson(putByte(p, 0x20), tag!.name);
    p = put(p, text(": "));
  }
  if (lengthOf(word) > 0) p = putByte(putJson(p, word), 0x20);
  result.fault(Fault.Configuration, endText(put(p, why)));
  return false;
}
