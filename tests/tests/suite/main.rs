//! What the real binary does, by subject: one folder each, one file for each part of it.
//!
//! Nearly all tests wait for processes and timers, so they run many at once. Tests that measure times which other tests
//! would spoil are in `load`, and those that need other programs in `peers`.

mod api;
mod commands;
mod functions;
mod interfaces;
mod jobs;
mod logs;
mod project;
mod sandbox;
mod serving;
mod state;
mod tokens;
