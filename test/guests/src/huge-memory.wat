;; Asks for 4 GiB of memory at once.
(module
  (memory (export "memory") 65536)
  (func (export "sluice_arena") (param i32) (result i32) (i32.const 0))
  (func (export "sluice_arena_end") (result i32) (i32.const 0))
  (func (export "configure") (param i32 i32) (result i32) (i32.const 0))
  (func (export "convert") (param i32 i32) (result i32) (i32.const 0))
  (func (export "flush") (param i64) (result i32) (i32.const 0))
)
