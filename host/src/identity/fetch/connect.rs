//! A connection with one of the addresses that a name leads to.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use http::uri::Scheme;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tower_service::Service;

use host_sandbox::outbound::address;

/// How long one address may take.
const CONNECT_TIME: Duration = Duration::from_millis(1500);
/// How long an address is waited for before the next one is tried beside it (RFC 8305, section 5), so that one that is
/// dead takes no time from those behind it. One that fails is not waited for.
const STAGGER: Duration = Duration::from_millis(250);
/// As many addresses of a name are tried.
const MOST_ADDRESSES: usize = 8;

/// Which addresses a host name may lead to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Anywhere,
    Public,
}

/// Connects with the host of a URL: the first of its addresses that answers.
#[derive(Clone)]
pub(super) struct Connect(pub(super) Reach);

impl Service<Uri> for Connect {
    type Response = TokioIo<TcpStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, url: Uri) -> Self::Future {
        let reach = self.0;
        Box::pin(async move {
            let host = url.host().unwrap_or_default();
            let name = host.trim_start_matches('[').trim_end_matches(']');
            let is_tls = url.scheme() == Some(&Scheme::HTTPS);
            let port = url.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
            let stream = connect_with_one(lookup_host((name, port)).await?, reach).await?;
            Ok(TokioIo::new(stream))
        })
    }
}

async fn connect_with_one(
    addresses: impl Iterator<Item = SocketAddr>,
    reach: Reach,
) -> io::Result<TcpStream> {
    let mut failure = io::Error::other("the host has no address");
    let mut left = Vec::new();
    for address in addresses.take(MOST_ADDRESSES) {
        if let Some(kind) = refused(address.ip(), reach) {
            failure = io::Error::other(format!(
                "{} is {kind}, where an issuer's document may not lead; configure the address of its keys, if this is right",
                address.ip()
            ));
            continue;
        }
        left.push(address);
    }
    let mut left = left.into_iter();
    // Dropped with whatever is under way when the first is there.
    let mut attempts = JoinSet::new();
    loop {
        attempts.extend(left.next().map(attempt));
        let ended = match left.len() {
            0 => attempts.join_next().await,
            _ => match timeout(STAGGER, attempts.join_next()).await {
                Ok(ended) => ended,
                Err(_) => continue,
            },
        };
        let Some(ended) = ended else {
            return Err(failure);
        };
        match ended.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
}

async fn attempt(address: SocketAddr) -> io::Result<TcpStream> {
    match timeout(CONNECT_TIME, TcpStream::connect(address)).await {
        Ok(connected) => connected,
        Err(_) => Err(io::Error::other(format!("{address} does not answer"))),
    }
}

fn refused(address: IpAddr, reach: Reach) -> Option<&'static str> {
    match reach {
        Reach::Anywhere => None,
        Reach::Public => address::special(address),
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};
    use std::time::Instant;

    use socket2::{Domain, Socket, Type};

    use super::*;

    const LOOPBACK: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

    /// An address that does not answer: its queue is full, and nobody accepts. What keeps it so comes with it.
    fn dead() -> (SocketAddr, Vec<Socket>) {
        let socket = || Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let listener = socket();
        listener.bind(&SocketAddr::from(LOOPBACK).into()).unwrap();
        listener.listen(0).unwrap();
        let address = listener.local_addr().unwrap();
        let mut kept = vec![listener];
        for _ in 0..8 {
            let waiting = socket();
            waiting.set_nonblocking(true).unwrap();
            // Under way, or in the queue for ever.
            let _ = waiting.connect(&address);
            kept.push(waiting);
        }
        (address.as_socket().unwrap(), kept)
    }

    #[tokio::test]
    async fn dead_addresses_take_no_time_from_the_one_that_lives() {
        let (dead, _kept) = dead();
        let living = TcpListener::bind(LOOPBACK).unwrap();
        let living = living.local_addr().unwrap();
        let begun = Instant::now();
        let addresses = [dead, dead, dead, dead, living].into_iter();
        let stream = connect_with_one(addresses, Reach::Anywhere).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), living);
        let waited = begun.elapsed();
        assert!(waited < CONNECT_TIME * 2, "{waited:?}");
        let nobody = connect_with_one([dead].into_iter(), Reach::Anywhere).await;
        let told = nobody.unwrap_err().to_string();
        assert!(told.ends_with("does not answer"), "{told}");
    }

    #[tokio::test]
    async fn an_address_that_refuses_is_not_waited_for() {
        let refusing = TcpListener::bind(LOOPBACK).unwrap().local_addr().unwrap();
        let living = TcpListener::bind(LOOPBACK).unwrap();
        let living = living.local_addr().unwrap();
        let begun = Instant::now();
        let addresses = [refusing; 7].into_iter().chain([living]);
        let stream = connect_with_one(addresses, Reach::Anywhere).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), living);
        let waited = begun.elapsed();
        assert!(waited < STAGGER * 2, "{waited:?}");
    }

    #[test]
    fn a_document_does_not_lead_to_this_machine_or_its_network() {
        for address in ["127.0.0.1", "169.254.169.254", "10.0.0.1", "::1", "fe80::1"] {
            let address = address.parse().unwrap();
            assert!(refused(address, Reach::Public).is_some(), "{address}");
            assert!(refused(address, Reach::Anywhere).is_none(), "{address}");
        }
        assert!(refused("8.8.8.8".parse().unwrap(), Reach::Public).is_none());
    }
}
