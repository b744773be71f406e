//! How quick the binary stays under load. These tests measure, so they run one at a time (`alone`).

mod balance;
mod hostile;
mod neighbours;
mod warm;
