//! The documentation, the files for deployment, and the examples.

mod crates;
mod deployment;
mod docs;
mod greeting;
mod plugins;
