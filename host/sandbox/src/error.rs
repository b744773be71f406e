//! What can go wrong, one type for each step: setting up a sandbox, loading a component, running it.
//!
//! A text says what happened and never names a setting of the program that the sandbox is part of: that program knows
//! what its settings are called, and can tell from the variant which of them applies.

mod call;
mod failure;
mod load;

pub use call::CallError;
pub use failure::{Failure, MemoryLimit};
pub(crate) use failure::{
    GaveUpBody, HeldTooMuch, InstanceEnded, RefusedMemory, TooLarge, is_success,
};
pub use load::{LoadError, SandboxError};
