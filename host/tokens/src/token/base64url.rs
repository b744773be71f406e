//! Base64url without padding, in its one canonical form (RFC 7515, section 2).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The bytes that `text` stands for, or nothing if it has padding, white space, a character of another alphabet or
/// trailing bits that are not zero: so that no two texts stand for the same bytes.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// `bytes` as text.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_read() {
        assert_eq!(decode("Zm9v").unwrap(), b"foo");
        assert_eq!(decode("_-8").unwrap(), [0xff, 0xef]);
        assert_eq!(decode("").unwrap(), b"");
        for text in [
            "_-8=", "/+8", "_-9", "_-8 ", " _-8", "_-\n8", "Z", "Zm9v\0", "ä",
        ] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for length in 0..20 {
            let bytes: Vec<u8> = (0..length).map(|n: u8| n.wrapping_mul(13)).collect();
            assert_eq!(decode(&encode(&bytes)).unwrap(), bytes);
        }
    }
}
