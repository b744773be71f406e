;; Takes 200 MiB and overwrites them ten times, each time with one instruction. Then it returns without
;; an answer.
;;
;; Written as text because a compiler is free to make many instructions of a fill.
(component
  (import "wasi:http/types@0.2.0" (instance $types
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))
  ))
  (alias export $types "incoming-request" (type $request))
  (alias export $types "response-outparam" (type $out))

  (core module $module
    (memory 1)
    (func (export "handle") (param i32 i32)
      (local $times i32)
      (if (i32.eq (memory.grow (i32.const 3200)) (i32.const -1)) (then unreachable))
      (loop $again
        (local.set $times (i32.add (local.get $times) (i32.const 1)))
        (memory.fill (i32.const 0) (local.get $times) (i32.const 209715200))
        (br_if $again (i32.lt_u (local.get $times) (i32.const 10)))))
  )
  (core instance $instance (instantiate $module))
  (func $handle (param "request" (own $request)) (param "response-out" (own $out))
    (canon lift (core func $instance "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler))
)
