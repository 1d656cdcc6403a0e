;; A few dozen bytes that ask for a table of 10 million entries: it ends a process without a limit.
(module
  (memory (export "memory") 1 16)
  (table 10000000 funcref)
  (func (export "sluice_arena") (param i32) (result i32) (i32.const 0))
  (func (export "sluice_arena_end") (result i32) (i32.const 0))
  (func (export "configure") (param i32 i32) (result i32) (i32.const 0))
  (func (export "convert") (param i32 i32) (result i32) (i32.const 0))
  (func (export "flush") (param i64) (result i32) (i32.const 0))
)
