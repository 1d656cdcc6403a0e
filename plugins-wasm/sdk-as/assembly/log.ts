// The one import of the contract. It is in the module only if `log` is called.
import { addressOf, lengthOf, Text } from "./text";

@external("$root", "log")
declare function rootLog(level: u32, at: usize, length: u32): void;

export const enum Level {
  Trace,
  Debug,
  Info,
  Warn,
  Error,
}

/** A line for the gateway's log. */
export function log(level: Level, text: Text): void {
  rootLog(level, addressOf(text), lengthOf(text));
}
