//! The documentation, the files for deployment, and the examples.

mod deployment;
mod docs;
mod greeting;
mod plugins;
