//! Jobs: what they call, when, and what becomes of them.

mod commands;
mod crash;
mod dispatch;
mod drain;
mod minute;
mod pause;
mod said;
