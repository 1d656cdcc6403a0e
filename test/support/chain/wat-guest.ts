import { parse } from '@bytecodealliance/jco-transpile/wasm-tools';
import { defaultRules } from '../../../runtime/index.js';
import type { StageSpec } from '../../../sandbox/index.js';
import type { RigOptions } from './slot-rig.js';

/** Where the guests below put their arena. */
export const ARENA = 65_536;

/** An arena at a fixed address; results begin at the next multiple of 16. */
const ARENA_TEXT = `
  (memory (export "memory") 4)
  (global $end (mut i32) (i32.const 0))
  (func (export "sluice_arena") (param $size i32) (result i32)
    (local $pages i32)
    (global.set $end (i32.and (i32.add (local.get $size) (i32.const ${ARENA + 15})) (i32.const -16)))
    (local.set $pages (i32.add (i32.shr_u (global.get $end) (i32.const 16)) (i32.const 2)))
    (if (i32.gt_u (local.get $pages) (memory.size))
      (then (if (i32.lt_s (memory.grow (i32.sub (local.get $pages) (memory.size))) (i32.const 0))
        (then (return (i32.const 0))))))
    (i32.const ${ARENA}))
  (func (export "sluice_arena_end") (result i32) (global.get $end))
  (func $take (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (global.get $end))
    (global.set $end (i32.add (local.get $at) (local.get $size)))
    (memory.fill (local.get $at) (i32.const 0) (local.get $size))
    (local.get $at))`;

/**
 * Its results are whatever bytes the payload of the first frame says: the return area and all behind it. A
 * kernel's are those of the block. A flush gives \`now\` as the return area, behind it what memory holds.
 */
const SCRIPTED = `(module ${ARENA_TEXT}
  (func (export "configure") (param i32 i32) (result i32) (call $take (i32.const 16)))
  (func $say (param $at i32) (param $size i32) (result i32)
    (local $to i32)
    (local.set $to (global.get $end))
    (memory.copy (local.get $to) (local.get $at) (local.get $size))
    (global.set $end (i32.add (local.get $to) (local.get $size)))
    (local.get $to))
  (func (export "convert") (param $frames i32) (param i32) (result i32)
    (call $say (i32.load offset=24 (local.get $frames)) (i32.load offset=28 (local.get $frames))))
  (func (export "process") (param i32 i32 i32 i32 i64 f64 i32 i32 i32 i32) (result i32)
    (call $say (local.get 8) (local.get 9)))
  (func (export "flush") (param $now i64) (result i32)
    (i64.store (global.get $end) (local.get $now))
    (global.set $end (i32.add (global.get $end) (i32.const 4096)))
    (i32.sub (global.get $end) (i32.const 4096))))`;

/**
 * Echoes payloads and traps over one that begins with 0xEE. Its configuration is a number: so many million
 * rounds go by in \`configure\`, about half a millisecond each.
 */
const SLOW_TO_START = `(module ${ARENA_TEXT}
  (func (export "configure") (param $at i32) (param $size i32) (result i32)
    (local $rounds i64)
    (block $done (loop $digit
      (br_if $done (i32.eqz (local.get $size)))
      (local.set $rounds (i64.add (i64.mul (local.get $rounds) (i64.const 10))
        (i64.extend_i32_u (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (local.set $size (i32.sub (local.get $size) (i32.const 1)))
      (br $digit)))
    (local.set $rounds (i64.mul (local.get $rounds) (i64.const 1000000)))
    (loop $again
      (local.set $rounds (i64.sub (local.get $rounds) (i64.const 1)))
      (br_if $again (i64.gt_s (local.get $rounds) (i64.const 0))))
    (call $take (i32.const 16)))
  (func (export "convert") (param $frame i32) (param $count i32) (result i32)
    (local $area i32) (local $result i32) (local $message i32)
    (local.set $area (call $take (i32.const 16)))
    (local.set $result (call $take (i32.mul (local.get $count) (i32.const 16))))
    (i32.store (local.get $area) (local.get $result))
    (i32.store offset=4 (local.get $area) (local.get $count))
    (block $done (loop $next
      (br_if $done (i32.eqz (local.get $count)))
      (if (i32.load offset=28 (local.get $frame))
        (then (if (i32.eq (i32.load8_u (i32.load offset=24 (local.get $frame))) (i32.const 0xee))
          (then unreachable))))
      (local.set $message (call $take (i32.const 48)))
      (i64.store offset=8 (local.get $message) (i64.load offset=24 (local.get $frame)))
      (i32.store offset=4 (local.get $result) (local.get $message))
      (i32.store offset=8 (local.get $result) (i32.const 1))
      (local.set $frame (i32.add (local.get $frame) (i32.const 40)))
      (local.set $result (i32.add (local.get $result) (i32.const 16)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br $next)))
    (local.get $area))
  (func (export "flush") (param i64) (result i32) (call $take (i32.const 8))))`;

const texts = { scripted: SCRIPTED, 'slow-to-start': SLOW_TO_START } as const;

/** The module's bytes; written in the text format, because the compilers' own output is well-behaved. */
export async function watGuest(name: keyof typeof texts): Promise<Uint8Array> {
  return parse(texts[name]);
}

export async function watStage(name: keyof typeof texts, options: RigOptions = {}): Promise<StageSpec> {
  return {
    plugin: name,
    version: '1.0.0',
    kind: 'converter',
    config: options.config ?? '0',
    rules: defaultRules(name, options.memory ?? 16 << 20),
    deadlineMs: options.deadlineMs ?? 200,
    code: { format: 'core', bytes: await watGuest(name) },
  };
}
