//! What is to be deployed: a component, or the one in a folder.

use std::path::{Path, PathBuf};

use super::super::super::Message;
use crate::input;

/// The most files and folders that are looked at.
const MOST_ENTRIES: usize = 10_000;
/// How many files a message names.
const NAMED: usize = 3;

/// The component that `source` is, or the only one below it if it is a folder.
///
/// # Errors
/// If it is a folder that does not have one component.
pub(super) fn component(source: &Path) -> Result<PathBuf, Message> {
    if input::is_stdin(source) || !source.is_dir() {
        return Ok(source.to_owned());
    }
    let files = files(source)?;
    let is_component = |path: &&PathBuf| path.extension().is_some_and(|end| end == "wasm");
    let components: Vec<&PathBuf> = files.iter().filter(is_component).collect();
    let folder = source.display();
    match components[..] {
        [component] => Ok(component.clone()),
        [] if files.is_empty() => Err(format!(
            "{folder} has no files; expected a .wasm file in it"
        )),
        [] => Err(format!(
            "{folder} has source code ({}) and no component; this host builds none yet: build it, and name the .wasm file \
             with --source",
            named(source, &files.iter().collect::<Vec<_>>())
        )),
        _ => Err(format!(
            "{folder} has several components ({}); name one of them with --source",
            named(source, &components)
        )),
    }
}

/// All files below `folder`. Symbolic links to folders are not followed.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Message> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    let mut entries = 0;
    while let Some(folder) = folders.pop() {
        let unreadable = |error| format!("cannot read {}: {error}", folder.display());
        for entry in folder.read_dir().map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            entries += 1;
            if entries > MOST_ENTRIES {
                return Err(format!(
                    "{} and the other folders have more than {MOST_ENTRIES} files; name the .wasm file with --source",
                    folder.display()
                ));
            }
            match entry.file_type().map_err(unreadable)?.is_dir() {
                true => folders.push(entry.path()),
                false => files.push(entry.path()),
            }
        }
    }
    files.sort();
    Ok(files)
}

/// The first of `files`, and how many more there are.
fn named(folder: &Path, files: &[&PathBuf]) -> String {
    let shown = files.iter().take(NAMED).map(|file| {
        let path = file.strip_prefix(folder).unwrap_or(file);
        path.to_string_lossy().escape_debug().to_string()
    });
    let mut names: Vec<String> = shown.collect();
    if let more @ 1.. = files.len().saturating_sub(NAMED) {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &[&str]) -> Result<String, Message> {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let component = component(folder.path())?;
        let path = component.strip_prefix(folder.path()).unwrap();
        Ok(path.display().to_string())
    }

    #[test]
    fn the_only_component_of_a_folder_is_meant() {
        assert_eq!(found(&["a.wasm"]), Ok("a.wasm".into()));
        let built = found(&["main.py", "out/a.wasm"]);
        assert_eq!(built, Ok("out/a.wasm".into()));
        let file = Path::new("a.wasm");
        assert_eq!(component(file), Ok(file.to_owned()));
        assert_eq!(component(Path::new("-")), Ok("-".into()));
    }

    #[test]
    fn a_folder_without_a_component_or_with_several_is_refused_with_their_names() {
        let error = found(&["a.py", "b.py", "c.py", "d.py"]).unwrap_err();
        assert!(error.contains("(a.py, b.py, c.py, 1 more)"), "{error}");
        assert!(error.contains("builds none yet"), "{error}");
        let error = found(&["a.wasm", "b/c.wasm"]).unwrap_err();
        assert!(error.contains("(a.wasm, b/c.wasm)"), "{error}");
        assert!(found(&[]).unwrap_err().contains("no files"));
    }

    #[test]
    fn no_more_files_are_looked_at_than_there_may_be() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..=MOST_ENTRIES {
            std::fs::write(folder.path().join(number.to_string()), "").unwrap();
        }
        let error = component(folder.path()).unwrap_err();
        assert!(error.contains("more than 10000 files"), "{error}");
    }
}
