;; Has one memory more than an execution may hold.
;;
;; Written as text because a component made by rustc has one memory.
(component
  (import "wasi:http/types@0.2.0" (instance $types
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))
  ))
  (alias export $types "incoming-request" (type $request))
  (alias export $types "response-outparam" (type $out))

  (core module $module
    (memory 1)
    (func (export "handle") (param i32 i32))
  )
  (core instance (instantiate $module))
  (core instance (instantiate $module))
  (core instance (instantiate $module))
  (core instance (instantiate $module))
  (core instance $instance (instantiate $module))
  (func $handle (param "request" (own $request)) (param "response-out" (own $out))
    (canon lift (core func $instance "handle")))
  (instance $handler (export "handle" (func $handle)))
  (export "wasi:http/incoming-handler@0.2.0" (instance $handler))
)
