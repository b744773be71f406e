//! TLS: a certificate of the specification's own, and clients that trust it and nothing else.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned};

use crate::{PATIENCE, Wire};

const NAME: &str = "localhost";
const ADDRESS: &str = "127.0.0.1";

/// A self-signed certificate for `localhost` and its address, and its key.
#[derive(Debug)]
pub struct Certificate {
    der: CertificateDer<'static>,
    certificate_pem: String,
    key_pem: String,
}

/// A connection over TLS, and what its handshake agreed on.
#[derive(Debug)]
pub struct TlsWire {
    /// The connection.
    pub wire: Wire,
    /// The application protocol (RFC 7301), if one was agreed on.
    pub alpn: Option<String>,
}

fn parameters(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).expect("the names are DNS names")
}

impl Certificate {
    /// Makes one, unlike any other.
    #[expect(clippy::new_without_default, reason = "no two are the same")]
    pub fn new() -> Self {
        Self::of(&[NAME, ADDRESS])
    }

    /// Makes one for other names.
    pub fn of(names: &[&str]) -> Self {
        Self::signed_by_itself(&parameters(names))
    }

    /// Makes one that is an authority's as well, as `openssl req -x509` does.
    pub fn of_authority(names: &[&str]) -> Self {
        let mut parameters = parameters(names);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self::signed_by_itself(&parameters)
    }

    /// Makes one of an authority that was good until the end of 2020.
    pub fn expired() -> Self {
        let mut parameters = parameters(&[NAME]);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2021, 1, 1);
        Self::signed_by_itself(&parameters)
    }

    fn signed_by_itself(parameters: &CertificateParams) -> Self {
        let key = KeyPair::generate().expect("the system has random numbers");
        let certificate = parameters.self_signed(&key).expect("the key can sign");
        Self {
            der: certificate.der().clone(),
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        }
    }

    /// Puts `certificate.pem` and `key.pem` into `directory`, each in one step, and returns their paths.
    #[track_caller]
    pub fn write_to(&self, directory: &Path) -> (PathBuf, PathBuf) {
        let write = |name: &str, text: &str| {
            let (path, partial) = (directory.join(name), directory.join(format!("{name}.new")));
            fs::write(&partial, text)
                .and_then(|()| fs::rename(&partial, &path))
                .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
            path
        };
        (
            write("certificate.pem", &self.certificate_pem),
            write("key.pem", &self.key_pem),
        )
    }

    /// Connects to `addr`, trusting this certificate alone and offering the protocols in `alpn`. `None` if the host
    /// shows another certificate.
    #[track_caller]
    pub fn try_connect(&self, addr: SocketAddr, alpn: &[&str]) -> Option<TlsWire> {
        let connect = || -> std::io::Result<_> {
            let socket = TcpStream::connect_timeout(&addr, PATIENCE)?;
            socket.set_read_timeout(Some(PATIENCE))?;
            Ok((socket.try_clone()?, socket))
        };
        let (mut transport, socket) =
            connect().unwrap_or_else(|error| panic!("cannot connect to {addr}: {error}"));
        let mut session = ClientConnection::new(self.client(alpn), Self::server_name())
            .expect("the settings are sound");
        while session.is_handshaking() {
            if let Err(error) = session.complete_io(&mut transport) {
                let untrusted = error.to_string().contains("invalid peer certificate");
                assert!(untrusted, "the handshake failed: {error}");
                return None;
            }
        }
        let alpn = session
            .alpn_protocol()
            .map(|name| String::from_utf8_lossy(name).into_owned());
        let wire = Wire::over(StreamOwned::new(session, transport), socket)
            .unwrap_or_else(|error| panic!("cannot set up the socket: {error}"));
        Some(TlsWire { wire, alpn })
    }

    /// As [`try_connect`](Self::try_connect), where the host must show this certificate.
    #[track_caller]
    pub fn connect(&self, addr: SocketAddr, alpn: &[&str]) -> TlsWire {
        match self.try_connect(addr, alpn) {
            Some(tls) => tls,
            None => panic!("the host shows another certificate"),
        }
    }

    /// A client's settings.
    pub(crate) fn client(&self, alpn: &[&str]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots
            .add(self.der.clone())
            .expect("the certificate is sound");
        let mut config =
            ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("ring knows TLS 1.2 and 1.3")
                .with_root_certificates(roots)
                .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    /// A server's settings.
    pub(crate) fn server(&self) -> ServerConfig {
        let key = PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes());
        ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring knows TLS 1.2 and 1.3")
            .with_no_client_auth()
            .with_single_cert(vec![self.der.clone()], key.expect("the key is sound"))
            .expect("the key is the certificate's")
    }

    pub(crate) fn server_name() -> ServerName<'static> {
        ServerName::try_from(NAME).expect("the name is a DNS name")
    }
}
