//! The client that calls what jobs call: verified TLS, a connection for each attempt, and only addresses that it may.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::{HttpConnector, HttpInfo};
use tokio::sync::Semaphore;
use tower_service::Service;

use super::own_listener::OwnListener;
use crate::http_client::{self, HttpClient};
use host_sandbox::OutboundPolicy;
use host_sandbox::outbound::authorities;
use host_sandbox::outbound::tls_failure;

/// Look-ups of names at once. Each blocks a thread for as long as the system's resolver does.
const MOST_LOOKUPS: usize = 64;
/// Fields of a response's head.
const MOST_FIELDS: usize = 128;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Whom jobs may call, and whom to trust on the way.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// What may be called; anything if it allows nothing.
    pub policy: OutboundPolicy,
    /// Where this host's own functions answer.
    pub own: Option<OwnListener>,
    /// Whether nothing else is called than those, and nothing else is trusted.
    pub is_own_only: bool,
}

impl Reach {
    /// Whether everything may be called.
    fn is_open(&self) -> bool {
        self.policy.rules.is_empty() && self.policy.addresses.is_empty()
    }

    /// Whether `uri` may be called.
    fn allows(&self, uri: &Uri) -> bool {
        self.is_open() || self.policy.allows(uri)
    }

    /// Whether a connection may be made to `address`, which is what `name` resolved to.
    fn allows_address(&self, name: &str, address: IpAddr) -> bool {
        self.is_open() || self.policy.allows_address(name, address)
    }
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("this host's jobs may not call there; allow it with --job-allow-outbound")]
    Refused,
    #[error("{0}")]
    Failed(String),
}

/// Makes the requests of all jobs. Cheap to clone.
#[derive(Clone)]
pub(super) struct TargetClient {
    reach: Arc<Reach>,
    client: HttpClient<HttpConnector<Resolver>>,
    /// Trusts this host's own functions, where they are called in place of those at Google.
    own: HttpClient<HttpConnector<Resolver>>,
}

impl TargetClient {
    /// # Errors
    /// If a certificate authority cannot be trusted.
    pub(super) fn new(reach: Reach) -> Result<Self, rustls::Error> {
        let others_tls = authorities::client_config(&reach.policy.authorities)?;
        let own = reach.own.as_ref().map(OwnListener::client_config);
        let own_tls = own.transpose()?.flatten();
        let own_tls = own_tls.unwrap_or_else(|| others_tls.clone());
        let tls = match reach.is_own_only {
            true => own_tls.clone(),
            false => others_tls,
        };
        let reach = Arc::new(reach);
        let connector = http_client::tcp(Resolver {
            reach: Arc::clone(&reach),
            free: Arc::new(Semaphore::new(MOST_LOOKUPS)),
        });
        let own = http_client::connecting_anew(own_tls, connector.clone(), MOST_FIELDS);
        let client = http_client::connecting_anew(tls, connector, MOST_FIELDS);
        Ok(Self { reach, client, own })
    }

    /// The answer to `request`, up to its head.
    pub(super) async fn call(
        &self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, SendError> {
        if !self.reach.allows(request.uri()) {
            return Err(SendError::Refused);
        }
        let own = self.reach.own.as_ref();
        let response = match own.and_then(|own| own.in_place_of(request.uri())) {
            Some(uri) => {
                *request.uri_mut() = uri;
                self.own.request(request).await
            }
            None => self.client.request(request).await,
        };
        response.map_err(|error| SendError::Failed(tls_failure::all_causes(&error)))
    }

    /// Whether a function of this host gave `response`, by the connection that it came on.
    pub(super) fn is_own<B>(&self, response: &Response<B>) -> bool {
        let connection = response.extensions().get::<HttpInfo>();
        let own = self.reach.own.as_ref().zip(connection);
        own.is_some_and(|(own, connection)| own.is_end_of(connection))
    }
}

/// The system's resolver, less the addresses that may not be called.
#[derive(Clone)]
struct Resolver {
    reach: Arc<Reach>,
    free: Arc<Semaphore>,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let (reach, free) = (Arc::clone(&self.reach), Arc::clone(&self.free));
        Box::pin(async move {
            let permit = free.acquire_owned().await?;
            let looked_up = tokio::task::spawn_blocking(move || {
                // Held to the very end: the look-up goes on when nobody waits for it any more.
                let _permit = permit;
                let addresses = (name.as_str(), 0).to_socket_addrs()?;
                let is_allowed =
                    |address: &SocketAddr| reach.allows_address(name.as_str(), address.ip());
                Ok::<_, std::io::Error>(addresses.filter(is_allowed).collect::<Vec<_>>())
            });
            let addresses = looked_up.await??;
            if addresses.is_empty() {
                return Err("the name has no address that this host's jobs may call".into());
            }
            Ok(addresses.into_iter())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(allowed: &[&str]) -> Reach {
        let mut reach = Reach::default();
        for text in allowed {
            reach.policy.allow(text).unwrap();
        }
        reach
    }

    #[test]
    fn without_a_list_everything_may_be_called_and_with_one_only_what_it_allows() {
        let uri = |text: &str| text.parse::<Uri>().unwrap();
        assert!(reach(&[]).allows(&uri("http://10.0.0.1/")));
        let listed = reach(&["https://a.example", "10.0.0.0/8"]);
        assert!(listed.allows(&uri("https://a.example/x")));
        assert!(!listed.allows(&uri("http://a.example/x")));
        assert!(!listed.allows(&uri("https://b.example/x")));
        assert!(listed.allows_address("a.example", [10, 1, 2, 3].into()));
        assert!(!listed.allows_address("a.example", [192, 168, 0, 1].into()));
    }
}
