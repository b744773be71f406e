//! Functions by name: deployed, changed, called and taken away.

mod bad_input;
mod call;
mod commands;
mod redeploy;
mod routing;
mod settings;
mod upkeep;
