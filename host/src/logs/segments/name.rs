//! The names of the files of a segment.

use std::path::{Path, PathBuf};

/// The minimum number of digits, so that names sort in the order of the numbers.
const WIDTH: usize = 12;

/// The kind of a file of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Plain lines.
    Plain,
    /// Compressed lines.
    Sealed,
    /// The index of the compressed lines.
    Index,
    /// Compressed lines or an index, incomplete.
    Partial,
    /// An incomplete last line.
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

/// The path of a file of the segment `number`.
pub(super) fn path(directory: &Path, number: u64, kind: Kind) -> PathBuf {
    directory.join(format!("{number:0WIDTH$}{}", kind.suffix()))
}

/// Parses the name of a file; `None` if it does not belong to a segment.
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
    fn other_names_are_not_segments() {
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
