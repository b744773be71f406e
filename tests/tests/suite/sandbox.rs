//! What a function may use, and what happens when it wants more.

mod bodies;
mod cache;
mod compiling;
mod concurrent;
mod failures;
mod fields;
mod isolation;
mod limits;
mod outbound;
mod shares;
mod warm;
mod wasi_0_3;
