//! Fetches an issuer's keys: its discovery document, and the key set that this names.
//!
//! A connection of its own for each fetch, bounded in time and size; redirects are not followed. The addresses that an
//! operator has configured may lead anywhere, one that a document names only to the same host or to a public address.

use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderMap, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::issuer_url::IssuerUrl;
use super::keeper::Fetched;
use super::key_set::{KeySet, KeySetError, LONGEST_DOCUMENT};
use super::own_issuer::DISCOVERY_PATH;
use crate::address;

/// How long a fetch of all that is needed may take.
pub(super) const FETCH_TIME: Duration = Duration::from_secs(5);
/// How long one address may take, so that another one of the same name is tried as well.
const CONNECT_TIME: Duration = Duration::from_millis(1500);
/// How long keys are good at least and at most, whatever their issuer says, and if it says nothing.
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
const USUAL: Duration = Duration::from_secs(10 * 60);
/// The longest bearer token that is read from a file, in bytes.
const LONGEST_BEARER: usize = 16 * 1024;

/// Where the keys of an issuer are, and how they are reached.
#[derive(Clone)]
pub struct KeySource {
    issuer: IssuerUrl,
    /// Where the key set is, if discovery is not to be asked.
    keys_url: Option<Uri>,
    /// A file with a token to be sent along, as a Kubernetes cluster wants it. Read for each fetch: it is rotated.
    bearer: Option<PathBuf>,
    tls: TlsConnector,
    /// Whom `tls` trusts beside the public authorities.
    authorities: Vec<CertificateDer<'static>>,
}

/// Whom to trust on the way to the keys.
#[derive(Clone, Debug)]
pub struct KeyTls {
    /// How connections are made.
    pub config: Arc<rustls::ClientConfig>,
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

/// Which addresses a host name may lead to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Anywhere,
    Public,
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
            tls: tls.config.into(),
            authorities: tls.authorities,
        }
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
        Ok(KeyDocument {
            url,
            keys,
            good_for: good_for(&head),
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
                found: super::Shown::text(&document.issuer).to_string(),
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

    async fn get(&self, url: &Uri, reach: Reach) -> Result<(HeaderMap, Bytes), FetchError> {
        let failed = |error: &dyn std::fmt::Display| FetchError::Failed {
            url: url.to_string(),
            reason: error.to_string(),
        };
        let host = url.host().unwrap_or_default();
        let is_tls = url.scheme() == Some(&Scheme::HTTPS);
        let port = url.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let stream = connect(host, port, reach)
            .await
            .map_err(|error| failed(&error))?;
        let request = self.request(url, reach)?;
        if !is_tls {
            return exchange(stream, request, url).await;
        }
        let name = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let name = ServerName::try_from(name).map_err(|error| failed(&error))?;
        let stream = self.tls.connect(name, stream).await;
        exchange(stream.map_err(|error| failed(&error))?, request, url).await
    }

    /// The bearer token goes to addresses that the operator named, and to no other that a document leads to.
    fn request(&self, url: &Uri, reach: Reach) -> Result<Request<Empty<Bytes>>, FetchError> {
        let path = url.path_and_query().map_or("/", |path| path.as_str());
        let authority = url.authority().map_or("", |authority| authority.as_str());
        let mut request = Request::get(path)
            .header(header::HOST, authority)
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
        request.body(Empty::new()).map_err(|error| FetchError::Url {
            url: url.to_string(),
            reason: error.to_string(),
        })
    }
}

fn read_bearer(path: &Path) -> io::Result<String> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut token = String::new();
    let file = std::fs::File::open(path)?;
    file.take(LONGEST_BEARER as u64 + 1)
        .read_to_string(&mut token)?;
    match token.len() > LONGEST_BEARER {
        true => Err(io::Error::other("it is too long for a token")),
        false => Ok(token),
    }
}

impl KeySource {
    /// Whether `other` leads to the same keys over the same authorities: one that is trusted no longer may have vouched for
    /// keys that nobody else has.
    pub fn is_like(&self, other: &Self) -> bool {
        self.issuer == other.issuer
            && self.keys_url == other.keys_url
            && self.bearer == other.bearer
            && self.authorities == other.authorities
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

/// A URL that keys may be fetched from: `https`, or `http` on this machine.
///
/// # Errors
/// If it is another.
pub fn parse(text: &str) -> Result<Uri, FetchError> {
    let refuse = |reason: &dyn std::fmt::Display| FetchError::Url {
        url: super::Shown::text(text).to_string(),
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

async fn connect(host: &str, port: u16, reach: Reach) -> io::Result<TcpStream> {
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let addresses: Vec<SocketAddr> = lookup_host((name, port)).await?.collect();
    let mut failure = io::Error::other("the host has no address");
    for address in addresses {
        if let Some(kind) = refused(address.ip(), reach) {
            failure = io::Error::other(format!(
                "{} is {kind}, where an issuer's document may not lead; configure the address of its keys, if this is right",
                address.ip()
            ));
            continue;
        }
        match timeout(CONNECT_TIME, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failure = error,
            Err(_) => failure = io::Error::other(format!("{address} does not answer")),
        }
    }
    Err(failure)
}

fn refused(address: IpAddr, reach: Reach) -> Option<&'static str> {
    match reach {
        Reach::Anywhere => None,
        Reach::Public => address::special(address),
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Empty<Bytes>>,
    url: &Uri,
) -> Result<(HeaderMap, Bytes), FetchError> {
    let failed = |error: &dyn std::fmt::Display| FetchError::Failed {
        url: url.to_string(),
        reason: error.to_string(),
    };
    let handshake = http1::Builder::new().handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| failed(&error))?;
    let connection = tokio::spawn(connection);
    let exchange = async {
        let response = sender.send_request(request).await;
        let (head, body) = response.map_err(|error| failed(&error))?.into_parts();
        if head.status != StatusCode::OK {
            return Err(FetchError::Status {
                url: url.to_string(),
                status: head.status,
            });
        }
        let body = Limited::new(body, LONGEST_DOCUMENT).collect().await;
        let body = body.map_err(|error| failed(&error))?.to_bytes();
        Ok((head.headers, body))
    };
    let exchanged = exchange.await;
    connection.abort();
    exchanged
}

/// What `Cache-Control` and `Age` say (RFC 9111, sections 4.2 and 5.2.2), within bounds. `no-cache` and `no-store` count
/// more than any age, wherever they stand.
fn good_for(head: &HeaderMap) -> Duration {
    let fields = head.get_all(header::CACHE_CONTROL).iter();
    let directives: Vec<String> = fields
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','))
        .map(|directive| directive.trim().to_ascii_lowercase())
        .collect();
    if directives
        .iter()
        .any(|directive| matches!(directive.as_str(), "no-cache" | "no-store"))
    {
        return SHORTEST;
    }
    let longest = directives.iter().find_map(|directive| {
        let seconds = directive.strip_prefix("max-age=")?;
        seconds.trim_matches('"').parse::<u64>().ok()
    });
    let age = head.get(header::AGE);
    let age = age.and_then(|age| age.to_str().ok()?.trim().parse().ok());
    longest.map_or(USUAL, |seconds| {
        let left = seconds.saturating_sub(age.unwrap_or(0));
        Duration::from_secs(left).clamp(SHORTEST, LONGEST)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good_for_with(field: &str) -> Duration {
        let mut head = HeaderMap::new();
        head.insert(header::CACHE_CONTROL, field.parse().unwrap());
        good_for(&head)
    }

    #[test]
    fn what_the_issuer_says_counts_between_a_minute_and_a_day() {
        assert_eq!(good_for(&HeaderMap::new()), USUAL);
        assert_eq!(
            good_for_with("public, max-age=3600, must-revalidate"),
            Duration::from_secs(3600)
        );
        assert_eq!(good_for_with("max-age=1"), SHORTEST);
        assert_eq!(good_for_with("no-store"), SHORTEST);
        assert_eq!(good_for_with("Max-Age=99999999"), LONGEST);
        assert_eq!(good_for_with("max-age=soon"), USUAL);
    }

    #[test]
    fn what_must_not_be_kept_is_not_and_what_was_kept_on_the_way_is_older() {
        assert_eq!(good_for_with("max-age=3600, no-cache"), SHORTEST);
        assert_eq!(good_for_with("no-cache, max-age=3600"), SHORTEST);
        let mut head = HeaderMap::new();
        head.insert(header::CACHE_CONTROL, "max-age=3600".parse().unwrap());
        for (age, left) in [("600", 3000), ("3600", 60), ("99999", 60), ("old", 3600)] {
            head.insert(header::AGE, age.parse().unwrap());
            assert_eq!(good_for(&head), Duration::from_secs(left), "{age}");
        }
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
