//! The control plane's methods, over its listener, its socket and from commands elsewhere.

mod door;
mod elsewhere;
mod killed;
mod policies;
mod recorded;
mod token_exchange;
