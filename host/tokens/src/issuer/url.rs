//! The name of an issuer, which is a URL.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The URL that names an issuer (OpenID Connect Core, section 2): `https` or `http`, a host, perhaps a port and a path;
/// no user, query or fragment.
///
/// It is compared byte by byte: another case, port or trailing slash names another issuer.
///
/// ```
/// use host_tokens::{IssuerUrl, IssuerUrlError};
///
/// # fn main() -> Result<(), IssuerUrlError> {
/// let issuer: IssuerUrl = "https://id.example".parse()?;
/// let other: IssuerUrl = "https://id.example/".parse()?;
/// assert_ne!(issuer, other);
///
/// assert!(issuer.is_secure());
/// assert!(!"http://id.example".parse::<IssuerUrl>()?.is_secure());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerUrl(Arc<str>);

/// Why a text is not the URL of an issuer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssuerUrlError {
    /// Another scheme, or none.
    #[error(
        "an issuer's URL starts with https://, or with http:// in a lab; write the whole URL, as the issuer does"
    )]
    Scheme,
    /// No host.
    #[error("an issuer's URL has a host after the scheme; write the whole URL, as the issuer does")]
    Host,
    /// A part that it cannot have.
    #[error("an issuer's URL has no {0}; leave it out")]
    Part(&'static str),
    /// A character that no URL has.
    #[error(
        "an issuer's URL has no spaces, controls or characters beyond ASCII; write it in its encoded form"
    )]
    Character,
    /// Too long.
    #[error("an issuer's URL has at most {LONGEST} bytes")]
    TooLong,
}

/// The longest, in bytes: names of issuers stand in every log entry and in headers.
const LONGEST: usize = 1024;

impl IssuerUrl {
    /// The URL as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether what is fetched from there can be relied upon: `https`, or a loopback address of this machine.
    pub fn is_secure(&self) -> bool {
        let Some(rest) = self.0.strip_prefix("http://") else {
            return true;
        };
        let authority = rest.split('/').next().unwrap_or(rest);
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
            _ => authority,
        };
        matches!(host, "localhost" | "127.0.0.1" | "[::1]")
    }
}

impl FromStr for IssuerUrl {
    type Err = IssuerUrlError;

    fn from_str(text: &str) -> Result<Self, IssuerUrlError> {
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))
            .ok_or(IssuerUrlError::Scheme)?;
        if text.len() > LONGEST {
            return Err(IssuerUrlError::TooLong);
        }
        if !rest.bytes().all(|byte| byte.is_ascii_graphic()) || rest.contains('\\') {
            return Err(IssuerUrlError::Character);
        }
        for (mark, part) in [
            ('#', "fragment"),
            ('?', "query"),
            ('@', "user before the host"),
        ] {
            // A path may hold an `@`; before the first slash it can only end a user's name.
            let within = if mark == '@' {
                rest.split('/').next()
            } else {
                Some(rest)
            };
            if within.is_some_and(|text| text.contains(mark)) {
                return Err(IssuerUrlError::Part(part));
            }
        }
        if rest.is_empty() || rest.starts_with(['/', ':']) {
            return Err(IssuerUrlError::Host);
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<IssuerUrl, IssuerUrlError> {
        text.parse()
    }

    #[test]
    fn an_issuer_is_kept_as_it_is_written() {
        for text in [
            "https://accounts.google.com",
            "https://tenant.auth0.com/",
            "https://id.example:8443/realms/a@b",
            "http://127.0.0.1:5556/dex",
        ] {
            assert_eq!(read(text).unwrap().as_str(), text);
        }
        assert_ne!(read("https://a.example"), read("https://a.example/"));
        assert_ne!(read("https://a.example"), read("https://A.example"));
    }

    #[test]
    fn what_is_no_issuer_is_told_why() {
        use IssuerUrlError::{Character, Host, Part, Scheme, TooLong};
        for (text, reason) in [
            ("accounts.google.com", Scheme),
            ("HTTPS://a.example", Scheme),
            ("ftp://a.example", Scheme),
            ("", Scheme),
            ("https://", Host),
            ("https:///path", Host),
            ("https://:443", Host),
            ("https://a.example?x", Part("query")),
            ("https://a.example/#x", Part("fragment")),
            ("https://user@a.example", Part("user before the host")),
            ("https://a.example/ x", Character),
            ("https://ä.example", Character),
            ("https://a.example\\x", Character),
            (&format!("https://{}", "a".repeat(1024)), TooLong),
        ] {
            assert_eq!(read(text), Err(reason), "{text}");
        }
    }

    #[test]
    fn plain_http_is_secure_only_on_this_machine() {
        for (text, secure) in [
            ("https://a.example", true),
            ("http://localhost:8081", true),
            ("http://127.0.0.1/dex", true),
            ("http://[::1]", true),
            ("http://[::1]:80/x", true),
            ("http://a.example", false),
            ("http://localhost.evil", false),
            ("http://127.0.0.1.evil:80", false),
        ] {
            assert_eq!(read(text).unwrap().is_secure(), secure, "{text}");
        }
    }
}
