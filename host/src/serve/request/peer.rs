//! Who sends requests: the other end of a connection, or whom a trusted proxy there says it speaks for.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;

use http::uri::Scheme;
use http::{HeaderMap, HeaderValue};
use tokio::net::TcpStream;

use super::forwarded::{self, Said};
use crate::request_target::Authority;
use host_sandbox::outbound::AddressRange;

/// The two ends of one connection, with what each of its requests needs of them made ready once.
#[derive(Debug)]
pub(in crate::serve) struct Peer {
    /// The other end.
    address: IpAddr,
    /// The same as text.
    text: HeaderValue,
    /// This end.
    local: SocketAddr,
    scheme: Scheme,
    /// Whether the other end is a proxy that is trusted.
    is_proxy: bool,
    /// The host that was asked first, and what `Forwarded` says with it: most connections ask for one host.
    forwarded: OnceLock<(HeaderValue, HeaderValue)>,
}

/// Who sent a request, and as what it was sent.
#[derive(Debug)]
pub(in crate::serve) struct Client {
    /// Where it is. An IPv4 address has its own form.
    pub(in crate::serve) address: IpAddr,
    /// The same as text.
    pub(in crate::serve) text: HeaderValue,
    /// How it asked.
    pub(in crate::serve) scheme: Scheme,
    /// Whom it asked.
    pub(in crate::serve) host: HeaderValue,
    /// The path that a proxy has taken off, without a slash at its end.
    pub(in crate::serve) removed_path: Option<HeaderValue>,
    /// Whether a trusted proxy brought the request.
    pub(in crate::serve) is_by_proxy: bool,
}

impl Peer {
    /// Of a connection that speaks `scheme`.
    ///
    /// # Errors
    /// If the other end is gone.
    pub(in crate::serve) fn of(
        stream: &TcpStream,
        scheme: Scheme,
        proxies: &[AddressRange],
    ) -> io::Result<Self> {
        let local = stream.local_addr()?;
        let local = SocketAddr::new(local.ip().to_canonical(), local.port());
        Ok(Self::new(stream.peer_addr()?.ip(), local, scheme, proxies))
    }

    fn new(address: IpAddr, local: SocketAddr, scheme: Scheme, proxies: &[AddressRange]) -> Self {
        let address = address.to_canonical();
        Self {
            address,
            text: text(&address),
            local,
            scheme,
            is_proxy: is_in(proxies, address),
            forwarded: OnceLock::new(),
        }
    }

    /// What `Forwarded` says of `client`, which sent a request on this connection.
    pub(in crate::serve) fn forwarded(&self, client: &Client) -> HeaderValue {
        if self.is_proxy {
            return forwarded::value(client);
        }
        let first = || (client.host.clone(), forwarded::value(client));
        let (host, value) = self.forwarded.get_or_init(first);
        match *host == client.host {
            true => value.clone(),
            false => forwarded::value(client),
        }
    }

    /// Where the other end is. An IPv4 address has its own form.
    pub(in crate::serve) fn address(&self) -> IpAddr {
        self.address
    }

    /// Whom a request is for that does not say so: the address that it came to.
    pub(in crate::serve) fn own_authority(&self) -> Option<Authority> {
        Authority::new(text(&self.local)).ok()
    }

    /// Who sent the request with `headers` to `asked`.
    pub(in crate::serve) fn client(
        &self,
        headers: &HeaderMap,
        asked: &Authority,
        proxies: &[AddressRange],
    ) -> Client {
        let mut client = Client {
            address: self.address,
            text: self.text.clone(),
            scheme: self.scheme.clone(),
            host: asked.value().clone(),
            removed_path: None,
            is_by_proxy: self.is_proxy,
        };
        if self.is_proxy {
            let is_trusted = |address| is_in(proxies, address);
            client.believe(forwarded::read(headers, self.address, is_trusted));
        }
        client
    }
}

impl Client {
    /// Below which path the client finds a function that answers below `path`, or everywhere.
    pub(in crate::serve) fn prefix(&self, path: Option<&HeaderValue>) -> Option<HeaderValue> {
        let (Some(before), Some(path)) = (&self.removed_path, path) else {
            return path.or(self.removed_path.as_ref()).cloned();
        };
        let whole = [before.as_bytes(), path.as_bytes()].concat();
        // Two parts of a header make one.
        HeaderValue::try_from(whole).ok()
    }

    fn believe(&mut self, said: Said) {
        if said.address != self.address {
            self.address = said.address;
            self.text = text(&said.address);
        }
        if let Some(scheme) = said.scheme {
            self.scheme = scheme;
        }
        if let Some(host) = said.host {
            self.host = host;
        }
        self.removed_path = said.prefix;
    }
}

fn is_in(ranges: &[AddressRange], address: IpAddr) -> bool {
    ranges.iter().any(|range| range.contains(address))
}

/// An address, which always makes a header.
fn text(address: &impl ToString) -> HeaderValue {
    HeaderValue::try_from(address.to_string()).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str, proxies: &[&str], fields: &[(&'static str, &str)]) -> Client {
        let proxies: Vec<_> = proxies.iter().map(|range| range.parse().unwrap()).collect();
        let local = "127.0.0.1:8080".parse().unwrap();
        let peer = Peer::new(address.parse().unwrap(), local, Scheme::HTTP, &proxies);
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        peer.client(&headers, &peer.own_authority().unwrap(), &proxies)
    }

    #[test]
    fn nobody_is_believed_who_is_not_trusted() {
        let fields = [
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "a.example"),
            ("x-forwarded-prefix", "/p"),
        ];
        for proxies in [&[][..], &["10.0.0.0/8"]] {
            let client = client("127.0.0.1", proxies, &fields);
            assert_eq!(client.text, "127.0.0.1");
            assert_eq!(client.scheme, Scheme::HTTP);
            assert_eq!(client.host, "127.0.0.1:8080");
            assert_eq!(client.removed_path, None);
        }
        let client = client("127.0.0.1", &["127.0.0.0/8"], &fields);
        assert_eq!(client.address, IpAddr::from([192, 0, 2, 1]));
        assert_eq!(client.text, "192.0.2.1");
        assert_eq!(client.scheme, Scheme::HTTPS);
        assert_eq!(client.host, "a.example");
        assert_eq!(client.prefix(None).unwrap(), "/p");
        let below = client.prefix(Some(&HeaderValue::from_static("/f")));
        assert_eq!(below.unwrap(), "/p/f");
    }

    #[test]
    fn each_request_has_its_own_host_in_forwarded() {
        let local = "127.0.0.1:8080".parse().unwrap();
        let peer = Peer::new([192, 0, 2, 1].into(), local, Scheme::HTTP, &[]);
        for host in ["a.example", "b.example", "a.example"] {
            let asked = Authority::new(HeaderValue::from_static(host)).unwrap();
            let client = peer.client(&HeaderMap::new(), &asked, &[]);
            let expected = format!("for=192.0.2.1;host={host};proto=http");
            assert_eq!(peer.forwarded(&client), expected);
        }
    }

    #[test]
    fn an_ipv4_address_that_came_as_ipv6_is_told_in_its_own_form() {
        let fields = [("x-forwarded-for", "::ffff:192.0.2.7")];
        let client = client("::ffff:10.1.2.3", &["10.0.0.0/8"], &fields);
        assert_eq!(client.text, "192.0.2.7");
    }
}
