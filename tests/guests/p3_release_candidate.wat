;; Has a handler of a release candidate of WASI 0.3, by its name alone: there is no function in it.
;;
;; Written as text because no bindings of today have that version.
(component
  (instance $handler)
  (export "wasi:http/handler@0.3.0-rc-2025-09-16" (instance $handler))
)
