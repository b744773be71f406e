;; Grows four memories in turn, a mebibyte each, until the host refuses one; then it traps.
;;
;; Written as text because a component made by rustc has one memory.
(component
  (import "wasi:http/types@0.2.0" (instance $types
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))
  ))
  (alias export $types "incoming-request" (type $request))
  (alias export $types "response-outparam" (type $out))

  (core module $holder
    (memory 1)
    (func (export "grow") (result i32) (memory.grow (i32.const 16)))
  )
  (core instance $first (instantiate $holder))
  (core instance $second (instantiate $holder))
  (core instance $third (instantiate $holder))
  (core instance $fourth (instantiate $holder))

  (core module $grower
    (import "first" "grow" (func $first (result i32)))
    (import "second" "grow" (func $second (result i32)))
    (import "third" "grow" (func $third (result i32)))
    (import "fourth" "grow" (func $fourth (result i32)))
    (func (export "handle") (param i32 i32)
      (loop $again
        (if (i32.eq (call $first) (i32.const -1)) (then unreachable))
        (if (i32.eq (call $second) (i32.const -1)) (then unreachable))
        (if (i32.eq (call $third) (i32.const -1)) (then unreachable))
        (if (i32.eq (call $fourth) (i32.const -1)) (then unreachable))
        (br $again)))
  )
  (core instance $instance (instantiate $grower
    (with "first" (instance $first))
    (with "second" (instance $second))
    (with "third" (instance $third))
    (with "fourth" (instance $fourth))
  ))
  (func $handle (param "request" (own $request)) (param "response-out" (own $out))
    (canon lift (core func $instance "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler))
)
