//! Connections, made only to addresses that were checked.
//!
//! A name is resolved here, once for each connection, and the connection is made to what came out of the check. Nobody
//! resolves the name a second time.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tower_service::Service;

use super::authorities;
use super::policy::{OutboundPolicy, ProhibitedAddress};

/// How long a name server may take.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(10);
/// Look-ups of one function at once.
const MOST_LOOKUPS: usize = 16;
/// The longest that a connection may take until it can be used, whatever a request allows. It also ends those that no
/// request waits for any more.
pub(crate) const LONGEST_CONNECT: Duration = Duration::from_secs(60);
/// A quiet peer is probed this often, so that one that is gone is noticed.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// More addresses than this of one name are not tried.
const MOST_ADDRESSES: usize = 16;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Finds the addresses of a name.
pub(crate) trait Resolve: Send + Sync {
    fn resolve(&self, name: String) -> Boxed<io::Result<Vec<IpAddr>>>;
}

/// The resolver of the operating system.
///
/// It blocks a thread, and goes on when nobody waits for it any more; so each look-up holds a permit to its very end.
pub(crate) struct SystemResolver {
    free: Arc<Semaphore>,
}

impl SystemResolver {
    pub(crate) fn new() -> Self {
        Self {
            free: Arc::new(Semaphore::new(MOST_LOOKUPS)),
        }
    }
}

impl Resolve for SystemResolver {
    fn resolve(&self, name: String) -> Boxed<io::Result<Vec<IpAddr>>> {
        let free = Arc::clone(&self.free);
        Box::pin(async move {
            let permit = free.acquire_owned().await.map_err(io::Error::other)?;
            let lookup = tokio::task::spawn_blocking(move || {
                let addresses = (name.as_str(), 0).to_socket_addrs();
                drop(permit);
                Ok(addresses?.map(|address| address.ip()).collect())
            });
            lookup.await?
        })
    }
}

/// Why a name gave no address to connect to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LookupError {
    #[error("no answer from the name server within {} s", LOOKUP_TIMEOUT.as_secs())]
    Timeout,
    #[error("the name cannot be resolved")]
    Failed(#[source] io::Error),
    #[error("the name has no address")]
    NoAddress,
    #[error(transparent)]
    Prohibited(ProhibitedAddress),
}

/// A connection was not ready in time.
#[derive(Debug, thiserror::Error)]
#[error("not connected within {} s", LONGEST_CONNECT.as_secs())]
pub(crate) struct ConnectTimeout;

/// TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("a certificate authority cannot be trusted: {0}; expected its X.509 certificate")]
pub(crate) struct TrustError(#[from] rustls::Error);

/// Resolves names to those of their addresses that may be connected to.
#[derive(Clone)]
pub(crate) struct CheckedResolver {
    policy: Arc<OutboundPolicy>,
    resolver: Arc<dyn Resolve>,
}

impl CheckedResolver {
    pub(crate) async fn lookup(self, name: String) -> Result<Vec<SocketAddr>, LookupError> {
        let addresses = timeout(LOOKUP_TIMEOUT, self.resolver.resolve(name.clone()))
            .await
            .map_err(|_| LookupError::Timeout)?
            .map_err(LookupError::Failed)?;
        let mut allowed = Vec::new();
        let mut nothing = LookupError::NoAddress;
        for address in addresses {
            match self.policy.check_address(&name, address) {
                Ok(()) => allowed.push(SocketAddr::new(address, 0)),
                Err(prohibited) => nothing = LookupError::Prohibited(prohibited),
            }
        }
        if allowed.is_empty() {
            return Err(nothing);
        }
        allowed.truncate(MOST_ADDRESSES);
        Ok(allowed)
    }
}

impl Service<Name> for CheckedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = LookupError;
    type Future = Boxed<Result<Self::Response, LookupError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), LookupError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let lookup = self.clone().lookup(name.as_str().to_owned());
        Box::pin(async { Ok(lookup.await?.into_iter()) })
    }
}

/// Connects to what the policy allows, with TLS where the scheme asks for it.
#[derive(Clone)]
pub(crate) struct Connector {
    policy: Arc<OutboundPolicy>,
    https: HttpsConnector<HttpConnector<CheckedResolver>>,
}

impl Connector {
    /// # Errors
    /// If an authority's certificate cannot be used.
    pub(crate) fn new(
        policy: Arc<OutboundPolicy>,
        resolver: Arc<dyn Resolve>,
    ) -> Result<Self, TrustError> {
        let mut http = HttpConnector::new_with_resolver(CheckedResolver {
            policy: Arc::clone(&policy),
            resolver,
        });
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_keepalive(Some(KEEPALIVE));
        http.set_connect_timeout(Some(LONGEST_CONNECT));
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(authorities::client_config(&policy.authorities)?)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(http);
        Ok(Self { policy, https })
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Boxed<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.https.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // A host that is an address never reaches the resolver, so the policy is asked here once more.
        if let Err(refusal) = self.policy.check(&uri) {
            return Box::pin(async { Err(refusal.into()) });
        }
        let connecting = timeout(LONGEST_CONNECT, self.https.call(uri));
        Box::pin(async { connecting.await.map_err(|_| ConnectTimeout)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Answer(Vec<IpAddr>);

    impl Resolve for Answer {
        fn resolve(&self, _: String) -> Boxed<io::Result<Vec<IpAddr>>> {
            Box::pin(std::future::ready(Ok(self.0.clone())))
        }
    }

    async fn lookup(
        resolver: impl Resolve + 'static,
        name: &str,
    ) -> Result<Vec<IpAddr>, LookupError> {
        let resolver = CheckedResolver {
            policy: Arc::default(),
            resolver: Arc::new(resolver),
        };
        let addresses = resolver.lookup(name.to_owned()).await?;
        Ok(addresses.into_iter().map(|address| address.ip()).collect())
    }

    fn prohibited(result: Result<Vec<IpAddr>, LookupError>) -> ProhibitedAddress {
        match result {
            Err(LookupError::Prohibited(prohibited)) => prohibited,
            other => panic!("expected a prohibited address, got {other:?}"),
        }
    }

    #[tokio::test]
    async fn of_a_mixed_answer_only_the_public_addresses_are_left() {
        let public = IpAddr::from([1, 1, 1, 1]);
        let mixed = vec![[127, 0, 0, 1].into(), public, [10, 0, 0, 1].into()];
        let left = lookup(Answer(mixed), "a.example").await.unwrap();
        assert_eq!(left, [public]);
    }

    #[tokio::test]
    async fn a_name_without_a_public_address_is_refused() {
        let answer = Answer(vec![[10, 0, 0, 1].into(), [169, 254, 169, 254].into()]);
        let prohibited = prohibited(lookup(answer, "a.example").await);
        assert_eq!(prohibited.kind, "a link-local address");
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_an_error_of_its_own() {
        let result = lookup(Answer(Vec::new()), "a.example").await;
        assert!(matches!(result, Err(LookupError::NoAddress)), "{result:?}");
    }

    #[tokio::test]
    async fn a_long_answer_is_cut() {
        let answer = Answer(vec![[1, 1, 1, 1].into(); 1000]);
        assert_eq!(
            lookup(answer, "a.example").await.unwrap().len(),
            MOST_ADDRESSES
        );
    }

    // The policy refuses these spellings before; this is what the system makes of them should one get through.
    #[tokio::test]
    async fn an_address_in_an_unusual_form_does_not_slip_through_the_resolver() {
        for name in [
            "0x7f.1",
            "2130706433",
            "127.1",
            "0177.0.0.1",
            "127.0.0.1",
            "::1",
            "0",
        ] {
            match lookup(SystemResolver::new(), name).await {
                Err(LookupError::Prohibited(_) | LookupError::Failed(_)) => {}
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[tokio::test]
    async fn a_host_that_is_an_address_is_checked_without_the_resolver() {
        let mut connector =
            Connector::new(Arc::default(), Arc::new(SystemResolver::new())).unwrap();
        for uri in ["http://127.0.0.1:1/", "http://[::1]:1/", "https://1.1.1.1/"] {
            let error = connector.call(uri.parse().unwrap()).await.err().unwrap();
            assert!(
                error.to_string().contains("not in the allow-list"),
                "{error}"
            );
        }
    }

    #[test]
    fn an_authority_that_is_no_certificate_is_an_error() {
        let mut policy = OutboundPolicy::default();
        policy.authorities.push(vec![0; 8].into());
        assert!(Connector::new(Arc::new(policy), Arc::new(SystemResolver::new())).is_err());
    }
}
