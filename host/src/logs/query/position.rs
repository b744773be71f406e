//! The position of an entry in the log, as a page token.

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use crate::logs::entry::timestamp::Rfc3339;
use crate::logs::forms::StoredEntry;

/// The length of the digest, in bytes. Nobody finds two lines that have the same.
const DIGEST: usize = 16;
/// The longest token that is read, in bytes. An insert id has at most 512.
const MAX_TOKEN: usize = 1024;

/// The position of an entry. New entries do not change it.
///
/// Positions are ordered by time, then by insert id, as in Cloud Logging. The insert ids of the host are in the order of
/// writing. A guest or a client may state the time and the insert id of another entry, so a digest of the line follows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    time: SystemTime,
    insert_id: String,
    digest: [u8; DIGEST],
}

/// A text is not a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the page token is invalid: expected the one of the page before")]
pub struct PositionError;

impl Position {
    pub(super) fn of(entry: &StoredEntry) -> Self {
        let mut shortened = [0; DIGEST];
        let whole = digest(&SHA256, entry.line.as_bytes());
        shortened.copy_from_slice(&whole.as_ref()[..DIGEST]);
        Self {
            time: entry.time,
            insert_id: entry.insert_id.clone().unwrap_or_default(),
            digest: shortened,
        }
    }

    /// The position between the entries before `time` and those at that time or later. No entry has it.
    pub(super) fn before_all_at(time: SystemTime) -> Self {
        Self {
            time,
            insert_id: String::new(),
            digest: [0; DIGEST],
        }
    }

    pub(super) fn time(&self) -> SystemTime {
        self.time
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = Rfc3339::from(self.time);
        let id = self.insert_id.as_bytes();
        let bytes = [time.as_str().as_bytes(), &self.digest, id].concat();
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Position {
    type Err = PositionError;

    fn from_str(text: &str) -> Result<Self, PositionError> {
        parse(text).ok_or(PositionError)
    }
}

fn parse(text: &str) -> Option<Position> {
    if text.len() > MAX_TOKEN {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (time, rest) = bytes.split_at_checked(Rfc3339::LENGTH)?;
    let (digest, id) = rest.split_first_chunk()?;
    let time: Timestamp = Rfc3339::parse(time)?.as_str().parse().ok()?;
    Some(Position {
        time: time.into(),
        insert_id: std::str::from_utf8(id).ok()?.to_owned(),
        digest: *digest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_token_is_read_back() {
        for insert_id in ["", "i", &"世".repeat(512 / 3)] {
            let position = Position {
                time: UNIX_EPOCH + Duration::from_nanos(1_795_442_400_123_456_789),
                insert_id: insert_id.into(),
                digest: [0xff; DIGEST],
            };
            let token = position.to_string();
            assert!(token.len() <= MAX_TOKEN);
            assert_eq!(token.parse(), Ok(position));
        }
    }

    #[test]
    fn another_text_is_refused() {
        let whole = Position {
            time: UNIX_EPOCH,
            insert_id: String::new(),
            digest: [0; DIGEST],
        };
        let whole = whole.to_string();
        for cut in 0..whole.len() {
            assert_eq!(whole[..cut].parse::<Position>(), Err(PositionError));
        }
        let year_zero = URL_SAFE_NO_PAD.encode([b'0'; 60]);
        let long = whole.repeat(20);
        for text in ["?", "世", &year_zero, &long] {
            assert_eq!(text.parse::<Position>(), Err(PositionError), "{text}");
        }
    }
}
