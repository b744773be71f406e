//! Names of entries, which are paths within a folder or refused.

use super::ArchiveError;

/// What programs of macOS add to archives: attributes of the files, under names like theirs.
const APPLE_DOUBLE: &str = "__MACOSX/";

/// Makes sure that `name`, without the slash at the end of a folder's, leads to one place within the folder on every
/// operating system.
pub(super) fn check(name: &str, longest: usize) -> Result<(), ArchiveError> {
    if name.len() > longest {
        return Err(ArchiveError::LongPath {
            found: name.len(),
            limit: longest,
        });
    }
    let path = name.strip_suffix('/').unwrap_or(name);
    // A backslash parts folders on Windows, and a colon follows a drive's letter there.
    let is_foreign = |c: char| matches!(c, '\\' | ':') || c.is_control();
    let is_part = |part: &str| !matches!(part, "" | "." | "..");
    match path.split('/').all(is_part) && !path.contains(is_foreign) {
        true => Ok(()),
        false => Err(ArchiveError::Path(shown(name))),
    }
}

/// Whether a file is no part of the folder.
pub(super) fn is_left_out(name: &str) -> bool {
    name.ends_with('/') || name.starts_with(APPLE_DOUBLE)
}

/// `name` as messages show it.
pub(super) fn shown(name: &str) -> String {
    name.escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_a_place_within_the_folder() {
        for good in ["a", "src/main.py", "a..b/...", "src/", "näme", " "] {
            assert!(check(good, 100).is_ok(), "{good}");
        }
        let bad = [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../a",
            "a/../b",
            "a/..",
            "./a",
            "a//b",
            "a/./b",
            "a//",
            "a\\b",
            "..\\a",
            "C:a",
            "C:/a",
            "a\0b",
            "a\nb",
        ];
        for bad in bad {
            let refused = check(bad, 100).unwrap_err();
            assert!(matches!(refused, ArchiveError::Path(_)), "{bad:?}");
        }
    }

    #[test]
    fn a_path_has_a_bounded_length() {
        assert!(check(&"a".repeat(100), 100).is_ok());
        let refused = check(&"a".repeat(101), 100).unwrap_err().to_string();
        let expected =
            "a path in the archive has 101 bytes; the limit is 100; give it a shorter one";
        assert_eq!(refused, expected);
    }

    #[test]
    fn folders_and_attributes_of_macos_are_no_files() {
        assert!(is_left_out("src/"));
        assert!(is_left_out("__MACOSX/._hello.wasm"));
        assert!(!is_left_out("hello.wasm"));
    }
}
