//! Imports an interface that no host has.
#![cfg(target_family = "wasm")]

use guests_p3::{Answer, Request, answer};

mod bindings {
    #![allow(missing_docs, unreachable_pub)]
    guests_p3::wit_bindgen::generate!({
        inline: "
            package acme:nothing@1.0.0;
            interface thing { ask: func(); }
            world asks { import thing; }
        ",
        runtime_path: "guests_p3::wit_bindgen::rt",
    });
}

guests_p3::handler!(handle);

async fn handle(_: Request) -> Answer {
    bindings::acme::nothing::thing::ask();
    answer(200, &[], "asked\n")
}
