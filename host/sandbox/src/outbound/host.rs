//! The host of a URL, in the one form that it is compared in.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest name of the DNS as text, and the longest label in it (RFC 1035, section 2.3.4).
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;

/// A host: lower-case, without a trailing dot, an address wherever it is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    Name(String),
    Address(IpAddr),
}

/// Why a text is not a host, or not `host:port`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// There is none.
    #[error("the host is missing; expected a name such as api.example.com")]
    Empty,
    /// It has letters outside ASCII.
    #[error("the host has characters outside ASCII; write the name in punycode (xn--…)")]
    NotAscii,
    /// A character that no host name has.
    #[error("the host has the character {0:?}; expected letters, digits, `-`, `_` and `.`")]
    Character(char),
    /// A label, or the whole, is empty or too long.
    #[error("the host has an empty label, one over 63 characters, or more than 253 in all")]
    Length,
    /// It ends in a number and is not an IPv4 address in its common form.
    #[error(
        "the host is an IPv4 address in an unusual form; write four decimal numbers, as in 192.0.2.1"
    )]
    Number,
    /// An IPv6 address that cannot be read, or has a zone.
    #[error("the host is not an IPv6 address in brackets without a zone, as in [2001:db8::1]")]
    Ipv6,
    /// A user name or password stands before it.
    #[error("a user name or password stands before the host; send credentials in a header")]
    UserInfo,
    /// The port is not a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
}

impl Host {
    /// Reads a host as it stands in a URL: an IPv6 address is in brackets.
    pub(crate) fn parse(text: &str) -> Result<Self, HostError> {
        Ok(match read(text)? {
            Read::Name(name) => Self::Name(name.to_ascii_lowercase()),
            Read::Address(address) => Self::Address(address),
        })
    }
}

/// A host as it was written.
enum Read<'a> {
    Name(&'a str),
    Address(IpAddr),
}

/// Whether `text` is a host, without keeping it.
pub fn check(text: &str) -> Result<(), HostError> {
    read(text).map(drop)
}

fn read(text: &str) -> Result<Read<'_>, HostError> {
    if let Some(rest) = text.strip_prefix('[') {
        let address = rest.strip_suffix(']').ok_or(HostError::Ipv6)?;
        let address: Ipv6Addr = address.parse().map_err(|_| HostError::Ipv6)?;
        return Ok(Read::Address(address.into()));
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        return Ok(Read::Address(address.into()));
    }
    check_name(name)?;
    Ok(Read::Name(name))
}

fn check_name(name: &str) -> Result<(), HostError> {
    if name.is_empty() {
        return Err(HostError::Empty);
    }
    if !name.is_ascii() {
        return Err(HostError::NotAscii);
    }
    let foreign = |c: &char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    if let Some(character) = name.chars().find(foreign) {
        return Err(HostError::Character(character));
    }
    let fits = |label: &str| (1..=LONGEST_LABEL).contains(&label.len());
    if name.len() > LONGEST_NAME || !name.split('.').all(fits) {
        return Err(HostError::Length);
    }
    if ends_in_number(name) {
        return Err(HostError::Number);
    }
    Ok(())
}

/// Whether `inet_aton` could take the name for an address: no top-level domain is a number (RFC 3696, section 2).
fn ends_in_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    let hexadecimal = last
        .strip_prefix("0x")
        .or_else(|| last.strip_prefix("0X"))
        .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    hexadecimal || last.bytes().all(|b| b.is_ascii_digit())
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// Splits `host` or `host:port` (RFC 3986, section 3.2). The port is text still.
///
/// ```
/// use host_sandbox::outbound::{check_host, parse_port, split_authority};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (host, port) = split_authority("api.example.com:8443")?;
/// assert!(check_host(host).is_ok());
/// assert_eq!(port.map(parse_port), Some(Ok(8443)));
/// assert!(check_host("api_example.com/").is_err());
/// # Ok(())
/// # }
/// ```
pub fn split_authority(authority: &str) -> Result<(&str, Option<&str>), HostError> {
    if authority.contains('@') {
        return Err(HostError::UserInfo);
    }
    let host_length = match authority.strip_prefix('[') {
        Some(rest) => 1 + rest.find(']').ok_or(HostError::Ipv6)? + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(host_length);
    match port.strip_prefix(':') {
        // A second colon: an IPv6 address without its brackets.
        Some(port) if port.contains(':') => Err(HostError::Ipv6),
        Some(port) => Ok((host, Some(port))),
        None if port.is_empty() => Ok((host, None)),
        None => Err(HostError::Ipv6),
    }
}

/// Reads a port: digits only, not 0.
pub fn parse_port(text: &str) -> Result<u16, HostError> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(HostError::Port);
    }
    match text.parse() {
        Ok(0) | Err(_) => Err(HostError::Port),
        Ok(port) => Ok(port),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_lower_case_and_has_no_trailing_dot() {
        for (text, host) in [
            ("API.Example.COM", "api.example.com"),
            ("api.example.com.", "api.example.com"),
            ("_dns.example.com", "_dns.example.com"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1.", "127.0.0.1"),
            ("[0:0:0:0:0:0:0:1]", "[::1]"),
            ("[2001:DB8::A]", "[2001:db8::a]"),
        ] {
            assert_eq!(Host::parse(text).unwrap().to_string(), host, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_host_is_refused_for_its_own_reason() {
        for (text, error) in [
            ("", HostError::Empty),
            (".", HostError::Empty),
            ("bücher.example", HostError::NotAscii),
            ("a%2eexample.com", HostError::Character('%')),
            ("a example.com", HostError::Character(' ')),
            ("a..example.com", HostError::Length),
            ("example.com..", HostError::Length),
            (&format!("{}.com", "a".repeat(64)), HostError::Length),
            (&"a.".repeat(128), HostError::Length),
            ("[::1", HostError::Ipv6),
            ("[fe80::1%25eth0]", HostError::Ipv6),
            ("[127.0.0.1]", HostError::Ipv6),
        ] {
            assert_eq!(Host::parse(text), Err(error), "{text}");
        }
    }

    #[test]
    fn an_ipv4_address_in_an_unusual_form_is_refused() {
        for text in [
            "0x7f.1",
            "0X7F.0.0.0x1",
            "2130706433",
            "0x7f000001",
            "127.1",
            "127.1.",
            "0177.0.0.1",
            "127.0.0.01",
            "1.2.3.4.5",
            "256.0.0.1",
            "example.0x",
        ] {
            assert_eq!(Host::parse(text), Err(HostError::Number), "{text}");
        }
    }

    #[test]
    fn an_authority_is_split_at_its_port_and_at_nothing_else() {
        for (text, parts) in [
            ("a.b", ("a.b", None)),
            ("a.b:80", ("a.b", Some("80"))),
            ("a.b:*", ("a.b", Some("*"))),
            ("a.b:", ("a.b", Some(""))),
            ("[::1]", ("[::1]", None)),
            ("[::1]:80", ("[::1]", Some("80"))),
        ] {
            assert_eq!(split_authority(text), Ok(parts), "{text}");
        }
        for (text, error) in [
            ("allowed@evil", HostError::UserInfo),
            ("user:secret@evil:80", HostError::UserInfo),
            ("::1", HostError::Ipv6),
            ("a:80:81", HostError::Ipv6),
            ("[::1", HostError::Ipv6),
            ("[::1]80", HostError::Ipv6),
            ("[::1]:80:81", HostError::Ipv6),
        ] {
            assert_eq!(split_authority(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_port_is_a_number_from_1_to_65535() {
        assert_eq!(parse_port("1"), Ok(1));
        assert_eq!(parse_port("0080"), Ok(80));
        assert_eq!(parse_port("65535"), Ok(65535));
        for text in ["", "0", "65536", "+80", "-1", "8 0", "*", "http"] {
            assert_eq!(parse_port(text), Err(HostError::Port), "{text}");
        }
    }
}
