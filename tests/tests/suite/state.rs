//! The state directory and `host.toml`: kept through crashes, copied, and read again.

mod backup;
mod configuration;
mod crash;
