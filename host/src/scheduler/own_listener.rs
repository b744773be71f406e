//! The listener of this host's own functions, as its jobs find it.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use http::Uri;
use hyper_util::client::legacy::connect::HttpInfo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{self, CryptoProvider};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

/// Tells the certificate that a listener shows at this moment.
pub type ShownCertificate = Arc<dyn Fn() -> CertificateDer<'static> + Send + Sync>;

/// Where this host's own functions answer.
#[derive(Clone)]
pub struct OwnListener {
    /// Its address, which may stand for all of the machine's.
    pub addr: SocketAddr,
    /// What it shows, if it speaks TLS.
    pub certificate: Option<ShownCertificate>,
    /// The host name by which Google would serve the functions, if the host has a project.
    pub google_name: Option<String>,
}

impl OwnListener {
    /// Where it can be called. An address that stands for all of them is none to call.
    pub fn url(&self) -> String {
        let mut addr = self.addr;
        if addr.ip().is_unspecified() {
            addr.set_ip(match addr {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        match self.certificate {
            Some(_) => format!("https://{addr}"),
            None => format!("http://{addr}"),
        }
    }

    /// Where to call instead, if `uri` is that of one of its functions at Google.
    pub(super) fn in_place_of(&self, uri: &Uri) -> Option<Uri> {
        let name = self.google_name.as_deref()?;
        let is_google = uri.scheme_str() == Some("https")
            && uri.port_u16().is_none_or(|port| port == 443)
            && uri
                .host()
                .is_some_and(|host| host.eq_ignore_ascii_case(name));
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let own = format!("{}{path}", self.url());
        is_google.then(|| own.parse().ok()).flatten()
    }

    /// Whether a connection leads to it, rather than to one that only goes by its name.
    pub(super) fn is_end_of(&self, connection: &HttpInfo) -> bool {
        let (remote, local) = (connection.remote_addr(), connection.local_addr());
        let is_here = remote.ip().is_loopback() || remote.ip() == local.ip();
        let is_addr = self.addr.ip() == remote.ip() || (self.addr.ip().is_unspecified() && is_here);
        self.addr.port() == remote.port() && is_addr
    }

    /// A client that trusts it and nobody else, by whatever name it is called; `None` if it speaks no TLS.
    ///
    /// # Errors
    /// If TLS cannot be set up.
    pub(super) fn client_config(&self) -> Result<Option<ClientConfig>, Error> {
        let Some(shown) = &self.certificate else {
            return Ok(None);
        };
        let provider = Arc::new(crypto::aws_lc_rs::default_provider());
        let verifier = Pinned {
            shown: Arc::clone(shown),
            provider: Arc::clone(&provider),
        };
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Ok(Some(config))
    }
}

impl fmt::Debug for OwnListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnListener")
            .field("addr", &self.addr)
            .field("speaks_tls", &self.certificate.is_some())
            .field("google_name", &self.google_name)
            .finish()
    }
}

/// Trusts the certificate that the listener shows, as its own process tells: names, dates and authorities say nothing more.
struct Pinned {
    shown: ShownCertificate,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Pinned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pinned")
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match *end_entity == (self.shown)() {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(Error::General(
                "the certificate is not the one that this host shows".into(),
            )),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_at_google_is_called_here_and_nobody_else_is() {
        let own = OwnListener {
            addr: "0.0.0.0:8080".parse().unwrap(),
            certificate: None,
            google_name: Some("us-central1-p.cloudfunctions.net".into()),
        };
        let found = |text: &str| Some(own.in_place_of(&text.parse().unwrap())?.to_string());
        assert_eq!(
            found("https://us-central1-p.cloudfunctions.net/hello?a=b").as_deref(),
            Some("http://127.0.0.1:8080/hello?a=b")
        );
        for other in [
            "http://us-central1-p.cloudfunctions.net/hello",
            "https://us-central1-p.cloudfunctions.net:8443/hello",
            "https://us-central1-q.cloudfunctions.net/hello",
            "https://x.us-central1-p.cloudfunctions.net/hello",
        ] {
            assert_eq!(found(other), None, "{other}");
        }
    }
}
