;; Grows two tables in turn, by 4,096 elements each, until the host refuses. If that is when the next
;; would make them more than 64,000 together, it ends with `unreachable`, otherwise by dividing by 0.
;;
;; Written as text because stable Rust has no way to say `table.grow`.
(component
  (import "wasi:http/types@0.2.0" (instance $types
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))
  ))
  (alias export $types "incoming-request" (type $request))
  (alias export $types "response-outparam" (type $out))

  (core module $module
    (table $first 0 funcref)
    (table $second 0 funcref)
    (func (export "handle") (param i32 i32)
      (block $refused
        (loop $again
          (br_if $refused
            (i32.eq (table.grow $first (ref.null func) (i32.const 4096)) (i32.const -1)))
          (br_if $refused
            (i32.eq (table.grow $second (ref.null func) (i32.const 4096)) (i32.const -1)))
          (br $again)))
      (if (i32.ne (i32.add (table.size $first) (table.size $second)) (i32.const 61440))
        (then (drop (i32.div_s (i32.const 1) (i32.const 0)))))
      unreachable)
  )
  (core instance $instance (instantiate $module))
  (func $handle (param "request" (own $request)) (param "response-out" (own $out))
    (canon lift (core func $instance "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler))
)
