//! Addresses that keys may be fetched from.

use host_tokens::{IssuerUrl, Shown};
use http::Uri;

use super::FetchError;

/// A URL that keys may be fetched from: `https`, or `http` on this machine.
///
/// # Errors
/// If it is another.
pub fn parse(text: &str) -> Result<Uri, FetchError> {
    let refuse = |reason: &dyn std::fmt::Display| FetchError::Url {
        url: Shown::text(text).to_string(),
        reason: reason.to_string(),
    };
    // Bounds, characters and schemes are those of an issuer, but for a query.
    let before_query = text.split('?').next().unwrap_or(text);
    let url: IssuerUrl = before_query.parse().map_err(|error| refuse(&error))?;
    if !url.is_secure() {
        return Err(refuse(&"keys could be exchanged on the way; use https"));
    }
    text.parse().map_err(|error| refuse(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_by_https_or_from_this_machine() {
        assert!(parse("https://a.example/keys?x=1").is_ok());
        assert!(parse("http://127.0.0.1:1/keys").is_ok());
        for url in [
            "http://a.example/keys",
            "ftp://a.example",
            "a.example",
            "file:///keys",
        ] {
            assert!(parse(url).is_err(), "{url}");
        }
    }
}
