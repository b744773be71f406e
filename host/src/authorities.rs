//! Whom the host trusts when it calls out over TLS: the public certificate authorities, and those that an operator names.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::input;

/// The largest file of certificates, in bytes.
const LARGEST: u64 = 16 << 20;

/// A client that trusts the public authorities and `others`.
///
/// # Errors
/// If one of `others` cannot be an authority.
pub(crate) fn client_config(
    others: &[CertificateDer<'static>],
) -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    for certificate in others {
        roots.add(certificate.clone())?;
    }
    // It is named because another crate may bring a second one, and then rustls has no default.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

/// The certificates in a file of PEM.
///
/// # Errors
/// If there is none, or one cannot be read.
pub(crate) fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let pem = input::read(path, "certificate authorities", LARGEST)?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let unusable = |reason: &dyn std::fmt::Display| {
        format!(
            "{}: {reason}; expected certificates in PEM",
            input::name(path)
        )
    };
    match certificates {
        Err(error) => Err(unusable(&error)),
        Ok(certificates) if certificates.is_empty() => Err(unusable(&"no certificate found")),
        Ok(certificates) => Ok(certificates),
    }
}
