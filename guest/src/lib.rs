//! The greeting handler: `{"name": "Ada"}` in, `Hello Ada!` out, on any host of WASI HTTP 0.2.
//!
//! [`greeting`] decides what to say and knows nothing of HTTP; the handler reads the request and
//! writes the response, and is compiled for WebAssembly alone.

pub mod greeting;
#[cfg(target_family = "wasm")]
mod handler;
