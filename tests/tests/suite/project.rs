//! The documentation, the files for deployment, and the examples.

mod crates;
mod debian_rustc;
mod deployment;
mod docs;
mod greeting;
mod plugins;
