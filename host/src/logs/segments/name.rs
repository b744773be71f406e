//! How the files of a segment are named.

use std::path::{Path, PathBuf};

/// How many digits the number of a segment has at least, so that names sort as numbers do.
const WIDTH: usize = 12;

/// What a file of a segment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Lines as they were written.
    Plain,
    /// Compressed lines.
    Sealed,
    /// Where to find what in the compressed lines.
    Index,
    /// Compressed lines in the making, or an index in the making.
    Partial,
    /// What was written of a line.
    Torn,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::Plain,
        Self::Sealed,
        Self::Index,
        Self::Partial,
        Self::Torn,
    ];

    fn suffix(self) -> &'static str {
        match self {
            Self::Plain => ".jsonl",
            Self::Sealed => ".jsonl.zst",
            Self::Index => ".index",
            Self::Partial => ".partial",
            Self::Torn => ".torn",
        }
    }
}

/// The file of the segment `number` in `directory`.
pub(super) fn path(directory: &Path, number: u64, kind: Kind) -> PathBuf {
    directory.join(format!("{number:0WIDTH$}{}", kind.suffix()))
}

/// What the file called `name` is, if it is one of a segment.
pub(super) fn parse(name: &str) -> Option<(u64, Kind)> {
    let digits = name.find('.')?;
    let (number, suffix) = name.split_at(digits);
    let is_number = number.len() >= WIDTH && number.bytes().all(|byte| byte.is_ascii_digit());
    let kind = Kind::ALL.into_iter().find(|kind| kind.suffix() == suffix)?;
    Some((number.parse().ok().filter(|_| is_number)?, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for number in [1, 42, 999_999_999_999, 1_000_000_000_000] {
            for kind in Kind::ALL {
                let path = path(Path::new("logs"), number, kind);
                let name = path.file_name().unwrap().to_str().unwrap();
                assert_eq!(parse(name), Some((number, kind)));
            }
        }
    }

    #[test]
    fn other_files_are_left_alone() {
        for name in [
            "current",
            "host.db",
            "42.jsonl",
            "000000000042.jsonl.gz",
            "00000000004x.jsonl",
            "+00000000042.jsonl",
            ".jsonl",
        ] {
            assert_eq!(parse(name), None, "{name}");
        }
    }
}
