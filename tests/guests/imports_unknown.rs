//! Imports an interface that no host has.
#![cfg(target_family = "wasm")]

use guests::{IncomingRequest, ResponseOutparam, answer};

mod bindings {
    #![allow(missing_docs, unreachable_pub)]
    wit_bindgen::generate!({
        inline: "
            package acme:nothing@1.0.0;
            interface thing { ask: func(); }
            world asks { import thing; }
        ",
    });
}

guests::handler!(handle);

fn handle(_: IncomingRequest, out: ResponseOutparam) {
    bindings::acme::nothing::thing::ask();
    answer(out, 200, &[], "asked\n");
}
