//! The URL that a job calls, which goes out as it is written or is refused.
//!
//! Two things are written down differently on the way: what a URL cannot have in its path and query is percent-encoded,
//! and a host name outside ASCII is in punycode.

use std::borrow::Cow;
use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use http::Uri;

use super::{JobError, Setting, at_most};

const LONGEST_URI: usize = 2083;
/// The longest host name, and the longest part of one (RFC 1035, section 2.3.4).
const LONGEST_NAME: usize = 253;
const LONGEST_LABEL: usize = 63;
/// ASCII that stands in no URL (RFC 3986), but in what people write.
const ENCODED: &[u8] = b"\"<>\\^`{|}";

/// Reads `text`. Tells the URL, and how it is written.
pub(super) fn target_uri(text: &str) -> Result<(Uri, String), JobError> {
    at_most(
        Setting::new("uri", "the URI"),
        text.len(),
        "characters",
        LONGEST_URI,
    )?;
    let wrong = |reason| JobError::Uri {
        uri: shown(text),
        reason,
    };
    let written = written(text).map_err(wrong)?;
    let uri = written
        .parse()
        .map_err(|error: http::uri::InvalidUri| wrong(error.to_string()))?;
    Ok((uri, written))
}

/// Whether both URLs lead to the same server: the same scheme, host and port. One that cannot be read leads to none.
pub fn has_same_origin(one: &str, other: &str) -> bool {
    let origin = |text| {
        let (uri, _) = target_uri(text).ok()?;
        let scheme = uri.scheme_str()?.to_owned();
        let port = uri.port_u16().or(match scheme.as_str() {
            "https" => Some(443),
            _ => Some(80),
        });
        Some((scheme, uri.host()?.to_ascii_lowercase(), port))
    };
    origin(one).is_some_and(|origin_of_one| origin(other) == Some(origin_of_one))
}

/// A URL up to its query.
pub(super) fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

/// What an error shows of a URL: neither a password nor a query.
fn shown(text: &str) -> String {
    let url = without_query(text);
    let begin = url.find("://").map_or(0, |place| place + 3);
    let end = url[begin..]
        .find('/')
        .map_or(url.len(), |place| begin + place);
    let url = match url[begin..end].rfind('@') {
        Some(at) => format!("{}…{}", &url[..begin], &url[begin + at..]),
        None => url.to_owned(),
    };
    let printable = |c| if char::is_control(c) { '\u{fffd}' } else { c };
    url.chars().map(printable).take(200).collect()
}

fn written(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("it is empty".into());
    }
    if let Some((place, character)) = blank(text) {
        let encoded = encode(&character.to_string(), |_| true);
        return Err(match character {
            ' ' => format!("its character {place} is a space; write it as %20"),
            _ => format!(
                "its character {place} is U+{:04X}; leave it out, or write it as {encoded}",
                u32::from(character)
            ),
        });
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err("it does not begin with http:// or https://".into());
    };
    if !["http", "https"]
        .map(|known| known.eq_ignore_ascii_case(scheme))
        .contains(&true)
    {
        return Err(format!("its scheme is {scheme}, neither http nor https"));
    }
    if rest.contains('#') {
        return Err(
            "what begins with `#` is a fragment, which is never sent; write %23 for a `#` that is meant".into(),
        );
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    if authority.contains('@') {
        return Err(
            "a user name or password stands before the host; send credentials in a header".into(),
        );
    }
    let (host, port) = host_and_port(authority)?;
    let port = port.map(checked_port).transpose()?;
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let rest = encode(rest, |byte| !byte.is_ascii() || ENCODED.contains(&byte));
    Ok(format!("{scheme}://{}{port}{rest}", checked_host(host)?))
}

/// The first character that ends a line or a word, and which one it is, from 1.
fn blank(text: &str) -> Option<(usize, char)> {
    let mut characters = text.chars().enumerate();
    let (index, found) = characters.find(|(_, c)| c.is_whitespace() || c.is_control())?;
    Some((index + 1, found))
}

fn host_and_port(authority: &str) -> Result<(&str, Option<&str>), String> {
    if let Some(rest) = authority.strip_prefix('[') {
        let end = rest.find(']').ok_or("its address has no closing bracket")?;
        let (host, rest) = authority.split_at(end + 2);
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(format!(
                "`{rest}` stands after the address; expected a port, such as :8080"
            )),
        };
    }
    match authority.split_once(':') {
        Some((_, rest)) if rest.contains(':') => {
            Err("an IPv6 address stands in brackets, as in http://[::1]:8080/".into())
        }
        Some((host, port)) => Ok((host, Some(port))),
        None => Ok((authority, None)),
    }
}

fn checked_port(text: &str) -> Result<u16, String> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port @ 1..) if is_number => Ok(port),
        _ => Err(format!("its port is `{text}`; expected 1 to 65535")),
    }
}

fn checked_host(host: &str) -> Result<Cow<'_, str>, String> {
    if let Some(address) = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        return match address.parse::<Ipv6Addr>() {
            Ok(_) => Ok(host.into()),
            Err(_) => Err(format!("`{address}` is not an IPv6 address")),
        };
    }
    if host.is_empty() {
        return Err("it has no host".into());
    }
    let name = match host.is_ascii() {
        true => Cow::Borrowed(host),
        false => idna::domain_to_ascii(host)
            .map_err(|_| format!("the host `{host}` is not a name that can be written in ASCII"))?
            .into(),
    };
    let is_usual = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if let Some(odd) = name.chars().find(|c| !is_usual(*c)) {
        return Err(format!("its host has a `{odd}`, which no name has"));
    }
    let labels = || name.strip_suffix('.').unwrap_or(&name).split('.');
    if name.len() > LONGEST_NAME || labels().any(|label| label.len() > LONGEST_LABEL) {
        return Err(format!(
            "its host is too long; expected at most {LONGEST_NAME} characters, and {LONGEST_LABEL} between two dots"
        ));
    }
    if labels().any(str::is_empty) {
        return Err(format!("its host `{name}` has nothing between two dots"));
    }
    // The system would take many a number for an address, each in its own way.
    let is_number = |label: &str| label.bytes().all(|byte| byte.is_ascii_digit());
    if labels().next_back().is_some_and(is_number) && name.parse::<Ipv4Addr>().is_err() {
        return Err(format!("its host `{name}` is not an IPv4 address"));
    }
    Ok(name)
}

/// `text`, with the bytes that `is_encoded` names percent-encoded.
fn encode(text: &str, is_encoded: impl Fn(u8) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for character in text.chars() {
        let mut buffer = [0; 4];
        let bytes = character.encode_utf8(&mut buffer).bytes();
        for byte in bytes {
            match is_encoded(byte) {
                // Writing to a string does not fail.
                true => _ = write!(encoded, "%{byte:02X}"),
                false => encoded.push(char::from(byte)),
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_goes_out() {
        for (text, sent) in [
            ("http://a", "http://a"),
            ("https://a:8443/b?c", "https://a:8443/b?c"),
            ("HTTP://A.example./", "HTTP://A.example./"),
            ("http://a?x=1", "http://a?x=1"),
            ("http://my_service:80/", "http://my_service:80/"),
            ("http://10.0.0.1:65535/", "http://10.0.0.1:65535/"),
            ("http://[::1]:80/", "http://[::1]:80/"),
            ("http://[2001:db8::1]/", "http://[2001:db8::1]/"),
            ("http://a/b%20c?d=%23", "http://a/b%20c?d=%23"),
            ("http://a/?x[]=1&y=a+b'(c)", "http://a/?x[]=1&y=a+b'(c)"),
            ("http://a/grüße?x=ü", "http://a/gr%C3%BC%C3%9Fe?x=%C3%BC"),
            ("http://a/{b}?c=\"d|e\"", "http://a/%7Bb%7D?c=%22d%7Ce%22"),
            ("http://bücher.example/", "http://xn--bcher-kva.example/"),
            ("http://例え.jp:8080/x", "http://xn--r8jz45g.jp:8080/x"),
            (
                "http://xn--bcher-kva.example/",
                "http://xn--bcher-kva.example/",
            ),
        ] {
            let (uri, written) = target_uri(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(written, sent, "{text}");
            let query = |text: &str| text.split_once('?').map(|(_, query)| query.to_owned());
            assert_eq!(uri.query().map(str::to_owned), query(sent), "{text}");
        }
    }

    #[test]
    fn what_cannot_go_out_is_refused_by_name() {
        for (text, reason) in [
            ("", "it is empty"),
            ("hello", "does not begin with http:// or https://"),
            (
                "127.0.0.1:8080/x",
                "does not begin with http:// or https://",
            ),
            ("http:/a", "does not begin with http:// or https://"),
            ("ftp://a/", "its scheme is ftp"),
            ("http://", "it has no host"),
            ("http:///x", "it has no host"),
            ("http://:80/", "it has no host"),
            ("http://u:p@a/", "a user name or password"),
            ("http://a/#x", "a fragment"),
            ("http://a/?x=a#b&c=d", "a fragment"),
            ("http://a#", "a fragment"),
            ("http://a b/", "its character 9 is a space; write it as %20"),
            (
                "http://a/b c",
                "its character 11 is a space; write it as %20",
            ),
            (" http://a/", "its character 1 is a space"),
            (
                "http://a/\n",
                "its character 10 is U+000A; leave it out, or write it as %0A",
            ),
            (
                "http://a/\u{a0}",
                "its character 10 is U+00A0; leave it out, or write it as %C2%A0",
            ),
            (
                "http://a:65536/",
                "its port is `65536`; expected 1 to 65535",
            ),
            ("http://a:0/", "its port is `0`"),
            ("http://a:/", "its port is ``"),
            ("http://a:-1/", "its port is `-1`"),
            ("http://a:+1/", "its port is `+1`"),
            ("http://a:port/", "its port is `port`"),
            ("http://::1/", "in brackets"),
            ("http://[::1/", "no closing bracket"),
            ("http://[::1]x/", "`x` stands after the address"),
            ("http://[fe80::1%25eth0]/", "not an IPv6 address"),
            ("http://[::1]:99999/", "its port is `99999`"),
            ("http://a..b/", "nothing between two dots"),
            ("http://256.0.0.1/", "is not an IPv4 address"),
            ("http://127.1/", "is not an IPv4 address"),
            ("http://a%41/", "its host has a `%`"),
            ("http://a\\b/", "its host has a `\\`"),
            ("http://ü\u{ad}.\u{200d}/", "in ASCII"),
        ] {
            let refused = target_uri(text).unwrap_err().to_string();
            assert!(refused.contains(reason), "{text}: {refused}");
        }
        let label = "x".repeat(64);
        let refused = target_uri(&format!("http://{label}/")).unwrap_err();
        assert!(refused.to_string().contains("too long"), "{refused}");
    }

    #[test]
    fn an_error_shows_neither_password_nor_query() {
        for text in [
            "http://u:secret@a/",
            "ftp://a/?secret",
            "http://a/?secret#x",
            "http://a:0/?secret",
        ] {
            let refused = target_uri(text).unwrap_err().to_string();
            assert!(!refused.contains("secret"), "{refused}");
        }
    }
}
