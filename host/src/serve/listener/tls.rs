//! TLS: the certificate, read again when it changes, and the handshake.

use std::fs;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::scheduler::ShownCertificate;
use crate::serve::error::TlsError;
use crate::serve::options::TlsFiles;

/// How often the files are looked at.
const POLL: Duration = Duration::from_secs(1);

/// Whether a host could serve with these files.
///
/// # Errors
/// What is wrong with them.
pub(crate) fn check(files: &TlsFiles) -> Result<(), TlsError> {
    read_pair(files).map(drop)
}

/// The certificate in use.
#[derive(Debug)]
pub(in crate::serve) struct Certificate {
    files: TlsFiles,
    current: RwLock<Current>,
}

#[derive(Debug)]
struct Current {
    key: Arc<CertifiedKey>,
    stamp: Stamp,
}

/// What tells one state of the two files from another.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl Certificate {
    /// Reads the certificate and key.
    pub(in crate::serve) fn read(files: &TlsFiles) -> Result<Arc<Self>, TlsError> {
        let stamp = stamp(files);
        let key = read_pair(files)?;
        Ok(Arc::new(Self {
            files: files.clone(),
            current: RwLock::new(Current { key, stamp }),
        }))
    }

    /// Reads the files again if they have changed. Answers whether a new certificate is in use.
    ///
    /// # Errors
    /// When the new files are no good; the old certificate stays.
    pub(in crate::serve) fn refresh(&self) -> Result<bool, TlsError> {
        let stamp = stamp(&self.files);
        if self.current().stamp == stamp {
            return Ok(false);
        }
        // Read before the lock is taken: handshakes wait for it, and files can be slow.
        let pair = read_pair(&self.files);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        // Noted even if it fails, so that a bad file is reported once and not each time it is looked at.
        current.stamp = stamp;
        current.key = pair?;
        Ok(true)
    }

    fn current(&self) -> RwLockReadGuard<'_, Current> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current().key))
    }
}

/// Tells what `certificate` shows to clients.
pub(in crate::serve) fn shown(certificate: &Arc<Certificate>) -> ShownCertificate {
    let certificate = Arc::clone(certificate);
    Arc::new(move || {
        let key = Arc::clone(&certificate.current().key);
        // The chain of a certificate that could be read has one at least.
        key.cert
            .first()
            .cloned()
            .unwrap_or_else(|| CertificateDer::from(Vec::new()))
    })
}

/// Settings of a listener: TLS 1.2 and 1.3, and these protocols within, the one that is preferred first.
pub(in crate::serve) fn server_config(
    certificate: Arc<Certificate>,
    protocols: &[&[u8]],
) -> Result<Arc<ServerConfig>, TlsError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Setup(error.to_string()))?
        .with_no_client_auth()
        .with_cert_resolver(certificate);
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}

fn read_pair(files: &TlsFiles) -> Result<Arc<CertifiedKey>, TlsError> {
    let certificate = |reason: String| TlsError::Certificate {
        path: files.certificate.clone(),
        reason,
    };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| certificate(error.to_string()))?;
    if chain.is_empty() {
        return Err(certificate("it holds no certificate".into()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| TlsError::Key {
        path: files.key.clone(),
        reason: error.to_string(),
    })?;
    let pair = CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider())
        .map_err(|error| TlsError::Pair(error.to_string()))?;
    Ok(Arc::new(pair))
}

fn stamp(files: &TlsFiles) -> Stamp {
    [&files.certificate, &files.key].map(|path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

/// Reads the certificate again whenever its files change, for ever.
pub(in crate::serve) async fn watch(certificate: Arc<Certificate>) {
    let mut looks = tokio::time::interval(POLL);
    loop {
        looks.tick().await;
        let certificate = Arc::clone(&certificate);
        // Reading files may block, and this thread answers the control plane.
        match tokio::task::spawn_blocking(move || certificate.refresh()).await {
            Ok(Ok(true)) => tracing::info!("The TLS certificate was read again."),
            Ok(Err(error)) => tracing::error!("the old TLS certificate stays in use: {error}"),
            Ok(Ok(false)) | Err(_) => {}
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::File;
    use std::io::Write as _;
    use std::process::Command;
    use std::thread;

    use super::*;

    /// The certificate's file is a pipe: whoever reads it waits until something is written.
    #[test]
    fn handshakes_go_on_while_the_files_are_being_read() {
        let directory = tempfile::tempdir().unwrap();
        let files = TlsFiles {
            certificate: directory.path().join("cert.pem"),
            key: directory.path().join("key.pem"),
        };
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(&files.certificate, pair.cert.pem()).unwrap();
        fs::write(&files.key, pair.signing_key.serialize_pem()).unwrap();
        let certificate = Certificate::read(&files).unwrap();
        let before = Arc::clone(&certificate.current().key);

        fs::remove_file(&files.certificate).unwrap();
        let made = Command::new("mkfifo").arg(&files.certificate).status();
        assert!(made.unwrap().success());
        let reading = thread::spawn({
            let certificate = Arc::clone(&certificate);
            move || certificate.refresh()
        });
        // Opens when the reader has opened its end.
        let mut pipe = File::options()
            .write(true)
            .open(&files.certificate)
            .unwrap();
        let current = certificate.current.try_read();
        assert!(current.is_ok_and(|current| Arc::ptr_eq(&current.key, &before)));
        pipe.write_all(pair.cert.pem().as_bytes()).unwrap();
        drop(pipe);
        assert!(reading.join().unwrap().unwrap());
        assert!(!Arc::ptr_eq(&certificate.current().key, &before));
    }
}
