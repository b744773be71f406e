//! Who calls, by a good token, with all that a request needs of it made ready once.

use std::sync::Arc;

use host_tokens::{Member, Verified};
use http::header::HeaderValue;
use http::{HeaderMap, HeaderName};

const ISSUER: HeaderName = HeaderName::from_static("x-host-caller-issuer");
const SUBJECT: HeaderName = HeaderName::from_static("x-host-caller-subject");
const EMAIL: HeaderName = HeaderName::from_static("x-host-caller-email");

/// The fields that only the host may send.
pub(in crate::serve) const OWN_FIELDS: [HeaderName; 3] = [ISSUER, SUBJECT, EMAIL];

/// The longest name of a caller in the log, in bytes: more than a subject and the URL of an issuer that anybody has.
const LONGEST_NAME: usize = 512;

/// A caller, and what its function is told of it.
#[derive(Debug)]
pub(in crate::serve) struct Caller {
    pub(in crate::serve) verified: Verified,
    /// What the log calls it.
    pub(in crate::serve) name: Arc<str>,
    /// In the order of [`OWN_FIELDS`].
    told: [Option<HeaderValue>; 3],
}

impl Caller {
    pub(in crate::serve) fn new(verified: Verified) -> Self {
        let principal = &verified.principal;
        let told = [
            plain(principal.issuer.as_str()),
            plain(&principal.subject),
            verified.email.as_deref().and_then(plain),
        ];
        let name = Member::of(&verified).to_string();
        let end = name.floor_char_boundary(LONGEST_NAME);
        Self {
            verified,
            name: name[..end].into(),
            told,
        }
    }

    /// Says who it is. The values are shared with every other request of this token.
    pub(in crate::serve) fn tell(&self, headers: &mut HeaderMap) {
        for (name, value) in OWN_FIELDS.into_iter().zip(&self.told) {
            if let Some(value) = value {
                headers.insert(name, value.clone());
            }
        }
    }
}

/// A text that everybody reads alike. Others are left out, not shortened or encoded: half a name is another name. A field
/// would hold more than ASCII, in bytes of which each reader makes something else (RFC 9110, section 5.5).
fn plain(text: &str) -> Option<HeaderValue> {
    let is_plain = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    is_plain.then(|| HeaderValue::from_str(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_printable_ascii_are_told() {
        for text in ["ada", "repo:org/app:ref:refs/heads/main", "a b", "~!"] {
            assert_eq!(plain(text).unwrap(), text);
        }
        for text in ["ad\u{e4}", "\u{430}da", "a\tb", "a\nb", "a\u{7f}", "\u{80}"] {
            assert_eq!(plain(text), None, "{text:?}");
        }
    }
}
