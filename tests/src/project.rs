//! Projects that `host new` writes.

use crate::{Directory, Host};

/// A new project named `my-function` from the template called `template`.
#[track_caller]
pub fn new_project(template: &str) -> Directory {
    let directory = Directory::new();
    let output = Host::command(["new", "my-function", "--template", template, "--path"])
        .arg(directory.path())
        .run();
    assert_eq!(output.code, Some(0), "{output:?}");
    directory
}
