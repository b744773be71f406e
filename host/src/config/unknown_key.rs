//! What a file is told of a key that is not known.

use crate::store::nearest;

/// The reader's `message`; of a key that is not known, with the one that was most likely meant.
pub(super) fn explained(message: &str) -> String {
    with_nearest(message).unwrap_or_else(|| message.to_owned())
}

/// The reader says ``unknown field `a`, expected one of `b`, `c` ``.
fn with_nearest(message: &str) -> Option<String> {
    let (key, rest) = message.strip_prefix("unknown field `")?.split_once('`')?;
    let known = || rest.split('`').skip(1).step_by(2).map(str::to_owned);
    Some(match nearest(key, known()) {
        Some(nearest) => format!("unknown key `{key}`; did you mean `{nearest}`?"),
        None => format!(
            "unknown key `{key}`; expected {}",
            known().collect::<Vec<_>>().join(", ")
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_suggested_else_all_are_named() {
        let message = "unknown field `memroy`, expected one of `source`, `memory`";
        assert_eq!(
            explained(message),
            "unknown key `memroy`; did you mean `memory`?"
        );
        let message = "unknown field `zzz`, expected `source` or `memory`";
        assert_eq!(
            explained(message),
            "unknown key `zzz`; expected source, memory"
        );
        assert_eq!(explained("invalid type"), "invalid type");
    }
}
