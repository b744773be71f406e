//! The listener of this host's own functions, as its jobs find it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

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
}

impl OwnListener {
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
