//! A function: it greets whom the request's body names.

pub mod greeting;
#[cfg(target_family = "wasm")]
mod handler;
