// Lists of words parted by commas, as one text. No word in the middle of a list that is searched is empty.
import { addressOf, byteAt, equals, lengthOf, Text, textOf } from "../../sdk-as/assembly";

/** Word `place` of a list; nothing if it has fewer. */
export function wordOf(list: Text, place: u32): Text {
  const end = lengthOf(list);
  let i: u32 = 0;
  for (; place > 0 && i < end; i++) if (byteAt(list, i) == 0x2c) place--;
  const start = i;
  while (i < end && byteAt(list, i) != 0x2c) i++;
  return textOf(addressOf(list) + start, i - start);
}

/** Place of a word in a list, or -1. */
export function placeIn(list: Text, word: Text): i32 {
  let place = 0;
  let known: Text;
  while (lengthOf(known = wordOf(list, place)) > 0) {
    if (equals(known, word)) return place;
    place++;
  }
  return -1;
}
