//! Files of certificate authorities that a command names.

use std::path::Path;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::input;

/// The largest file of certificates, in bytes.
const LARGEST: u64 = 16 << 20;

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
