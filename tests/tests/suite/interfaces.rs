//! The interfaces that components may import beside the releases of WASI.

mod config;
mod keyvalue;
mod keyvalue_commands;
mod logging;
