//! The binary beside other programs. `.ci/peers` installs them and prints their folder, which `$HOST_PEERS` names here.

mod collector;
mod drop_in;
mod google_clients;
mod google_tools_page;
mod new_project;
mod provider;
mod python_0_3;
mod schema;
