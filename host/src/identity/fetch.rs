//! Fetches an issuer's keys: its discovery document, and the key set that this names.
//!
//! A connection of its own for each fetch, bounded in time and size; redirects are not followed. The addresses that an
//! operator has configured may lead anywhere, one that a document names only to the same host or to a public address.

mod bearer;
mod connect;
mod freshness;
mod url;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use host_tokens::{
    DISCOVERY_PATH, FETCH_TIME, Fetched, IssuerUrl, KeySet, KeySetError, LONGEST_DOCUMENT, Shown,
};
use http::{HeaderMap, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use rustls::pki_types::CertificateDer;
use tokio::time::timeout;

use crate::http_client;
use bearer::read_bearer;
use connect::{Connect, Reach};
use freshness::{SHORTEST, good_for};
use host_sandbox::outbound::tls_failure;
pub use url::parse;

/// Fields of a response's head.
const MOST_FIELDS: usize = 100;

/// Where the keys of an issuer are, and how they are reached.
#[derive(Clone)]
pub struct KeySource {
    issuer: IssuerUrl,
    /// Where the key set is, if discovery is not to be asked.
    keys_url: Option<Uri>,
    /// A file with a token to be sent along, as a Kubernetes cluster wants it. Read for each fetch: it is rotated.
    bearer: Option<PathBuf>,
    tls: rustls::ClientConfig,
    /// Whom `tls` trusts beside the public authorities.
    authorities: Vec<CertificateDer<'static>>,
}

/// Whom to trust on the way to the keys.
#[derive(Clone, Debug)]
pub struct KeyTls {
    /// How connections are made.
    pub config: rustls::ClientConfig,
    /// The certificate authorities that it trusts beside the public ones.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// An address that is not used.
    #[error("{url} is not fetched: {reason}")]
    Url {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The connection, or what came over it.
    #[error("{url}: {reason}")]
    Failed {
        /// The address.
        url: String,
        /// What happened.
        reason: String,
    },
    /// Another answer than 200. Redirects are not followed.
    #[error("{url} answered with status {status}; expected 200")]
    Status {
        /// The address.
        url: String,
        /// The status.
        status: StatusCode,
    },
    /// The document is of another issuer (OpenID Connect Discovery, section 4.3).
    #[error("{url} is of the issuer {found}; expected {expected}, to the letter")]
    OtherIssuer {
        /// The address.
        url: String,
        /// The configured issuer.
        expected: IssuerUrl,
        /// The one that the document names.
        found: String,
    },
    /// The key set.
    #[error("{url}: {reason}")]
    Keys {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: KeySetError,
    },
    /// It took too long.
    #[error("the keys of {0} did not come within {FETCH_TIME:?}")]
    Slow(IssuerUrl),
    /// The file with the bearer token.
    #[error("cannot read the token in {}: {_1}", _0.display())]
    Bearer(PathBuf, io::Error),
}

/// A key set as it came.
#[derive(Debug)]
pub struct KeyDocument {
    /// Where it was.
    pub url: Uri,
    /// The keys.
    pub keys: KeySet,
    /// How long they are good.
    pub good_for: Duration,
    /// What time it was there, to the second.
    pub date: Option<SystemTime>,
}

/// What a discovery document says that matters here.
#[derive(serde::Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl KeySource {
    /// The keys of `issuer`: at `keys_url` if that is given, else where its discovery document says. `tls` says whom to
    /// trust on the way.
    pub fn new(
        issuer: IssuerUrl,
        keys_url: Option<Uri>,
        bearer: Option<PathBuf>,
        tls: KeyTls,
    ) -> Self {
        Self {
            issuer,
            keys_url,
            bearer,
            tls: tls.config,
            authorities: tls.authorities,
        }
    }

    /// Whether `other` leads to the same keys over the same authorities: one that is trusted no longer may have vouched for
    /// keys that nobody else has.
    pub fn is_like(&self, other: &Self) -> bool {
        self.issuer == other.issuer
            && self.keys_url == other.keys_url
            && self.bearer == other.bearer
            && self.authorities == other.authorities
    }

    /// Fetches the keys.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn fetch(&self) -> Result<Fetched<KeySet>, FetchError> {
        let document = self.fetch_document().await?;
        Ok(Fetched {
            value: document.keys,
            good_for: document.good_for,
        })
    }

    /// Fetches the keys, with all that there is to tell of how they came.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn fetch_document(&self) -> Result<KeyDocument, FetchError> {
        match timeout(FETCH_TIME, self.fetch_all()).await {
            Ok(fetched) => fetched,
            Err(_) => Err(FetchError::Slow(self.issuer.clone())),
        }
    }

    async fn fetch_all(&self) -> Result<KeyDocument, FetchError> {
        let (url, reach) = match &self.keys_url {
            Some(url) => (url.clone(), Reach::Anywhere),
            None => self.discover().await?,
        };
        let (head, body) = self.get(&url, reach).await?;
        let keys = KeySet::read(&body).map_err(|reason| FetchError::Keys {
            url: url.to_string(),
            reason,
        })?;
        let date = head.get(header::DATE).and_then(|date| date.to_str().ok());
        // An issuer without keys will have some soon.
        let good_for = match keys.problem() {
            Some(_) => SHORTEST,
            None => good_for(&head),
        };
        Ok(KeyDocument {
            url,
            keys,
            good_for,
            date: date.and_then(|date| httpdate::parse_http_date(date).ok()),
        })
    }

    /// Where the discovery document says that the keys are.
    async fn discover(&self) -> Result<(Uri, Reach), FetchError> {
        let text = format!(
            "{}{DISCOVERY_PATH}",
            self.issuer.as_str().trim_end_matches('/')
        );
        let url = parse(&text)?;
        let (_, body) = self.get(&url, Reach::Anywhere).await?;
        let document: Discovery =
            serde_json::from_slice(&body).map_err(|error| FetchError::Failed {
                url: text.clone(),
                reason: format!("is not a discovery document: {error}"),
            })?;
        if document.issuer != self.issuer.as_str() {
            return Err(FetchError::OtherIssuer {
                url: text,
                expected: self.issuer.clone(),
                found: Shown::text(&document.issuer).to_string(),
            });
        }
        let keys = parse(&document.jwks_uri)?;
        let is_same_host = keys.authority() == url.authority();
        let reach = if is_same_host {
            Reach::Anywhere
        } else {
            Reach::Public
        };
        Ok((keys, reach))
    }

    /// The document at `url`. Redirects are not followed.
    async fn get(&self, url: &Uri, reach: Reach) -> Result<(HeaderMap, Bytes), FetchError> {
        let failed = |error: &(dyn std::error::Error + 'static)| FetchError::Failed {
            url: url.to_string(),
            reason: tls_failure::all_causes(error),
        };
        let (tls, connector) = (self.tls.clone(), Connect(reach));
        let client = http_client::connecting_anew(tls, connector, MOST_FIELDS);
        let response = client.request(self.request(url, reach)?).await;
        let (head, body) = response.map_err(|error| failed(&error))?.into_parts();
        if head.status != StatusCode::OK {
            return Err(FetchError::Status {
                url: url.to_string(),
                status: head.status,
            });
        }
        let body = Limited::new(body, LONGEST_DOCUMENT).collect().await;
        let body = body.map_err(|error| failed(&*error))?.to_bytes();
        Ok((head.headers, body))
    }

    /// The bearer token goes to addresses that the operator named, and to no other that a document leads to.
    fn request(&self, url: &Uri, reach: Reach) -> Result<Request<Full<Bytes>>, FetchError> {
        let mut request = Request::get(url)
            .header(header::ACCEPT, "application/json")
            .header(
                header::USER_AGENT,
                concat!("host/", env!("CARGO_PKG_VERSION")),
            );
        if let (Some(file), Reach::Anywhere) = (&self.bearer, reach) {
            let unreadable = |error| FetchError::Bearer(file.clone(), error);
            let token = read_bearer(file).map_err(unreadable)?;
            let value = http::HeaderValue::try_from(format!("Bearer {}", token.trim()))
                .map_err(|_| unreadable(io::Error::other("it is no token")))?;
            request = request.header(header::AUTHORIZATION, value);
        }
        let request = request.body(Full::default());
        request.map_err(|error| FetchError::Url {
            url: url.to_string(),
            reason: error.to_string(),
        })
    }
}

impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeySource")
            .field("issuer", &self.issuer)
            .field("keys_url", &self.keys_url)
            .finish_non_exhaustive()
    }
}
