//! What proxies say of the requests that they pass on: `X-Forwarded-*`, and `Forwarded` (RFC 7239); and what functions are
//! told by the same fields.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::header::{FORWARDED, HeaderName};
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue};

use super::peer::Client;
use crate::request_target::Authority;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// What trusted proxies say of a request.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::serve) struct Said {
    /// Whom the request is from.
    pub(in crate::serve) address: IpAddr,
    pub(in crate::serve) scheme: Option<Scheme>,
    pub(in crate::serve) host: Option<HeaderValue>,
    pub(in crate::serve) prefix: Option<HeaderValue>,
}

/// Reads what `peer`, a trusted proxy, and the trusted proxies before it say. Each has added itself on the right, so what
/// stands there is walked up to the first address that is not trusted: whatever is left of that, anybody may have sent.
///
/// `Forwarded` is read where there is no `X-Forwarded-For`, `-Proto` or `-Host`.
pub(in crate::serve) fn read(
    headers: &HeaderMap,
    peer: IpAddr,
    is_trusted: impl Fn(IpAddr) -> bool,
) -> Said {
    let by_forwarded = ![FOR, PROTO, HOST]
        .iter()
        .any(|name| headers.contains_key(name));
    let list = |name, parameter| match by_forwarded {
        true => List::new(headers, FORWARDED, Some(parameter)),
        false => List::new(headers, name, None),
    };
    let (mut address, mut hops) = (peer, 0);
    for entry in list(FOR, "for").right_to_left() {
        if !is_trusted(address) {
            break;
        }
        let Some(before) = node(entry) else { break };
        address = before.to_canonical();
        hops += 1;
    }
    // What the proxy says that the client spoke to. One that says it for none of the hops says it for all.
    let hops = hops.max(1);
    Said {
        address,
        scheme: list(PROTO, "proto").of_hop(hops).and_then(scheme),
        host: list(HOST, "host").of_hop(hops).and_then(host),
        prefix: List::new(headers, PREFIX, None)
            .of_hop(hops)
            .and_then(prefix),
    }
}

/// A field that holds an entry for each hop, the last one on the right.
struct List<'a> {
    headers: &'a HeaderMap,
    name: HeaderName,
    /// What of each entry is wanted.
    parameter: Option<&'static str>,
}

impl<'a> List<'a> {
    fn new(headers: &'a HeaderMap, name: HeaderName, parameter: Option<&'static str>) -> Self {
        Self {
            headers,
            name,
            parameter,
        }
    }

    fn right_to_left(&self) -> impl Iterator<Item = &'a str> {
        let parameter = self.parameter;
        let values = self.headers.get_all(&self.name).into_iter().rev();
        let entries = values.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
        entries.map(move |entry| match parameter {
            None => entry.trim(),
            Some(name) => value_of(entry, name).unwrap_or_default(),
        })
    }

    fn of_hop(&self, hop: usize) -> Option<&'a str> {
        self.right_to_left().take(hop).last()
    }
}

/// The value of `name` in `for=192.0.2.1;proto=https`. Nothing that is wanted needs an escape or holds a semicolon.
fn value_of<'a>(entry: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = entry.split(';').filter_map(|pair| pair.split_once('='));
    let (_, value) = pairs.find(|(key, _)| key.trim().eq_ignore_ascii_case(name))?;
    let value = value.trim();
    let quoted = value.strip_prefix('"').map(|rest| rest.strip_suffix('"'));
    quoted.unwrap_or(Some(value))
}

/// An address, maybe with a port.
fn node(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let bracketed = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    if let Some(address) = bracketed {
        return address.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    text.parse::<SocketAddr>().ok().map(|address| address.ip())
}

fn scheme(text: &str) -> Option<Scheme> {
    let known = [("http", Scheme::HTTP), ("https", Scheme::HTTPS)];
    let mut known = known.into_iter();
    let found = known.find(|(name, _)| name.eq_ignore_ascii_case(text));
    found.map(|(_, scheme)| scheme)
}

fn host(text: &str) -> Option<HeaderValue> {
    let value = HeaderValue::from_str(text).ok()?;
    Authority::new(value.clone()).ok().map(|_| value)
}

/// A path, less the slash at its end. It may end up in the path of a cookie.
fn prefix(text: &str) -> Option<HeaderValue> {
    let path = text.trim_end_matches('/');
    let is_plain = |byte: u8| matches!(byte, b'!'..=b'~') && !matches!(byte, b';' | b'"' | b'\\');
    let is_path = path.starts_with('/') && !path.starts_with("//") && path.bytes().all(is_plain);
    is_path.then(|| HeaderValue::from_str(path).ok()).flatten()
}

/// Tells a function of `client`, and below which `prefix` it answers, in the place of whatever stands there.
pub(in crate::serve) fn tell(
    headers: &mut HeaderMap,
    client: &Client,
    prefix: Option<&HeaderValue>,
    forwarded: HeaderValue,
) {
    // So that the map grows once.
    headers.reserve(5);
    headers.insert(FORWARDED, forwarded);
    headers.insert(FOR, client.text.clone());
    let proto = HeaderValue::from_static(proto(client));
    headers.insert(PROTO, proto);
    headers.insert(HOST, client.host.clone());
    match prefix {
        Some(prefix) => headers.insert(PREFIX, prefix.clone()),
        None => headers.remove(PREFIX),
    };
}

fn proto(client: &Client) -> &'static str {
    match client.scheme == Scheme::HTTPS {
        true => "https",
        false => "http",
    }
}

/// `for=192.0.2.1;host=a.example;proto=https`. Whatever has a colon is quoted (RFC 7239, section 4).
pub(in crate::serve) fn value(client: &Client) -> HeaderValue {
    let (open, close) = match client.address {
        IpAddr::V4(_) => ("for=", ";host="),
        IpAddr::V6(_) => ("for=\"[", "]\";host="),
    };
    let (address, host) = (client.text.as_bytes(), client.host.as_bytes());
    let quote = if host.contains(&b':') { "\"" } else { "" }.as_bytes();
    let proto = proto(client);
    let text = [
        open.as_bytes(),
        address,
        close.as_bytes(),
        quote,
        host,
        quote,
        b";proto=",
        proto.as_bytes(),
    ]
    .concat();
    // Addresses and host names are printable.
    HeaderValue::from_maybe_shared(bytes::Bytes::from(text))
        .unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(fields: &[(&'static str, &str)]) -> Said {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        let is_trusted = |address: IpAddr| match address {
            IpAddr::V4(address) => address.is_private(),
            IpAddr::V6(address) => address.is_loopback(),
        };
        read(&headers, [10, 0, 0, 1].into(), is_trusted)
    }

    fn address(value: &str) -> String {
        said(&[("x-forwarded-for", value)]).address.to_string()
    }

    #[test]
    fn the_client_is_the_first_right_to_left_that_is_not_trusted() {
        for (list, client) in [
            ("192.0.2.1", "192.0.2.1"),
            ("198.51.100.9, 192.0.2.1", "192.0.2.1"),
            ("192.0.2.1, 10.0.0.2", "192.0.2.1"),
            ("198.51.100.9,192.0.2.1 ,10.0.0.2,10.0.0.3", "192.0.2.1"),
            ("192.0.2.1:4711", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711, ::1", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            // All of them are trusted: the first of them is the client.
            ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ] {
            assert_eq!(address(list), client, "{list}");
        }
    }

    #[test]
    fn what_is_no_address_ends_the_walk_at_the_proxy_that_said_so() {
        for list in [
            "",
            "unknown",
            "_hidden",
            "192.0.2.1, ",
            "192.0.2.1, x",
            "a.example",
            "[::1",
        ] {
            assert_eq!(address(list), "10.0.0.1", "{list}");
        }
        assert_eq!(address("192.0.2.1, unknown, 10.0.0.2"), "10.0.0.2");
        assert_eq!(said(&[]).address.to_string(), "10.0.0.1");
    }

    #[test]
    fn several_fields_are_one_list() {
        let two = [
            ("x-forwarded-for", "198.51.100.9"),
            ("x-forwarded-for", "192.0.2.1"),
        ];
        assert_eq!(said(&two).address.to_string(), "192.0.2.1");
    }

    #[test]
    fn scheme_and_host_are_those_of_the_same_hop() {
        let chain = said(&[
            ("x-forwarded-for", "192.0.2.1, 10.0.0.2"),
            ("x-forwarded-proto", "http, https, http"),
            ("x-forwarded-host", "forged, a.example:8443, inner"),
            ("x-forwarded-prefix", "/outer/"),
        ]);
        assert_eq!(chain.scheme, Some(Scheme::HTTPS));
        assert_eq!(chain.host.unwrap(), "a.example:8443");
        assert_eq!(chain.prefix.unwrap(), "/outer");
        let lone = said(&[("x-forwarded-proto", "HTTPS")]);
        assert_eq!(lone.scheme, Some(Scheme::HTTPS));
    }

    #[test]
    fn what_is_no_scheme_host_or_path_is_not_believed() {
        for value in ["", "ftp", "https; http"] {
            assert_eq!(said(&[("x-forwarded-proto", value)]).scheme, None);
        }
        for value in ["", "a b", "user@a", "a:0", "a/b", "a\""] {
            assert_eq!(said(&[("x-forwarded-host", value)]).host, None);
        }
        for value in [
            "",
            "/",
            "a",
            "//a.example",
            "/a;Domain=b",
            "/a b",
            "/\"",
            "/\\",
        ] {
            assert_eq!(
                said(&[("x-forwarded-prefix", value)]).prefix,
                None,
                "{value}"
            );
        }
    }

    #[test]
    fn the_standard_field_is_read_where_the_others_are_not_there() {
        let standard = "for=198.51.100.9, For=\"[2001:db8::1]:80\";Proto=https;host=\"a.example:81\", for=10.0.0.2";
        let read = said(&[("forwarded", standard)]);
        assert_eq!(read.address.to_string(), "2001:db8::1");
        assert_eq!(read.scheme, Some(Scheme::HTTPS));
        assert_eq!(read.host.unwrap(), "a.example:81");
        let both = said(&[
            ("forwarded", "for=198.51.100.9"),
            ("x-forwarded-for", "192.0.2.1"),
        ]);
        assert_eq!(both.address.to_string(), "192.0.2.1");
        for broken in [
            "for=\"192.0.2.1",
            "for",
            "proto=https",
            "for=unknown, for=_x",
        ] {
            let read = said(&[("forwarded", broken)]);
            assert_eq!(read.address.to_string(), "10.0.0.1", "{broken}");
        }
        // A quote that a caller left open swallows nothing.
        let open = said(&[("forwarded", "for=\"x"), ("forwarded", "for=192.0.2.1")]);
        assert_eq!(open.address.to_string(), "192.0.2.1");
    }

    #[test]
    fn a_function_is_told_of_its_client_and_of_nobody_elses_word() {
        let mut headers = HeaderMap::new();
        headers.append(FOR, HeaderValue::from_static("198.51.100.9"));
        headers.append(PREFIX, HeaderValue::from_static("/forged"));
        let mut client = Client {
            address: [192, 0, 2, 1].into(),
            text: HeaderValue::from_static("192.0.2.1"),
            scheme: Scheme::HTTPS,
            host: HeaderValue::from_static("a.example"),
            removed_path: None,
            is_by_proxy: false,
        };
        tell(&mut headers, &client, None, value(&client));
        assert_eq!(
            headers[FORWARDED],
            "for=192.0.2.1;host=a.example;proto=https"
        );
        assert_eq!(headers[FOR], "192.0.2.1");
        assert_eq!(headers[PROTO], "https");
        assert_eq!(headers[HOST], "a.example");
        assert_eq!(headers.get(PREFIX), None);
        client.address = Ipv6Addr::LOCALHOST.into();
        client.text = HeaderValue::from_static("::1");
        client.host = HeaderValue::from_static("[::1]:80");
        let prefix = HeaderValue::from_static("/f");
        tell(&mut headers, &client, Some(&prefix), value(&client));
        assert_eq!(
            headers[FORWARDED],
            "for=\"[::1]\";host=\"[::1]:80\";proto=https"
        );
        assert_eq!(headers[PREFIX], "/f");
        assert_eq!(headers.len(), 5);
    }
}
