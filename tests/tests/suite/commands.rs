//! What people type, and what the commands print that belong to no other subject.

mod check;
mod habits;
mod manual;
mod new_project;
mod quickstart;
