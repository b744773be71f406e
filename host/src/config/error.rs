use std::ops::Range;
use std::path::{Path, PathBuf};

/// What is wrong with a configuration file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{position}: {message}", path.display())]
pub struct ConfigError {
    path: PathBuf,
    position: Position,
    message: String,
}

/// Line and column, both from 1, if they are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Position(Option<(usize, usize)>);

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some((line, column)) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

impl ConfigError {
    /// About the file as a whole.
    pub(super) fn whole(path: &Path, message: String) -> Self {
        Self {
            path: path.to_owned(),
            position: Position(None),
            message,
        }
    }

    /// About the bytes `span` of its `text`.
    pub(super) fn at(path: &Path, text: &str, span: Option<Range<usize>>, message: &str) -> Self {
        let position = span.map(|span| {
            let before = &text[..text.floor_char_boundary(span.start)];
            let line = before.matches('\n').count() + 1;
            let begin = before.rfind('\n').map_or(0, |feed| feed + 1);
            (line, before[begin..].chars().count() + 1)
        });
        Self {
            path: path.to_owned(),
            position: Position(position),
            // One line, whatever the parser has to say.
            message: message.split_whitespace().collect::<Vec<_>>().join(" "),
        }
    }
}
