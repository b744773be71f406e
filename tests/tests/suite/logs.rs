//! The log: what is captured, what is kept, and how it is read.

mod api;
mod capture;
mod disk;
mod follow;
mod hostile;
mod jobs;
mod kept;
mod otlp;
mod read;
mod traces;
