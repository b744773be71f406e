//! Whom a call over TLS trusts: the public certificate authorities, and those that an operator names.
//!
//! `openssl req -x509` makes certificates that are an authority's (CA:TRUE) and are shown by servers all the same. One that an
//! operator names stands for its own server too.
//!
//! For servers that call out themselves and trust the same authorities.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

/// The public authorities.
struct Public {
    roots: Arc<RootCertStore>,
    /// Why some that the system trusts are left out.
    unread: Vec<String>,
}

/// Those that are built in, and those that the system trusts, which an operator can add to. What cannot be read of the
/// system's is left out. `$SSL_CERT_FILE` and `$SSL_CERT_DIR` say where they are, if that is set.
fn public() -> &'static Public {
    static PUBLIC: OnceLock<Public> = OnceLock::new();
    PUBLIC.get_or_init(|| {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        let system = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(system.certs);
        Public {
            roots: roots.into(),
            unread: system.errors.iter().map(ToString::to_string).collect(),
        }
    })
}

/// Why some authorities that the system trusts are left out: each file or directory that cannot be read, in a line.
pub fn unread() -> &'static [String] {
    &public().unread
}

/// A client that trusts the public authorities and `others`: these, and whoever they vouch for.
///
/// # Errors
/// If one of `others` cannot be an authority.
pub fn client_config(others: &[CertificateDer<'static>]) -> Result<ClientConfig, Error> {
    let mut roots = Arc::clone(&public().roots);
    for certificate in others {
        Arc::make_mut(&mut roots).add(certificate.clone())?;
    }
    // It is named because another crate may bring a second one, and then rustls has no default.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let authorities = WebPkiServerVerifier::builder_with_provider(roots, provider.clone())
        .build()
        .map_err(|error| Error::General(error.to_string()))?;
    let verifier = Verifier {
        authorities,
        named: others.into(),
    };
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// Trusts what the authorities vouch for, and a named authority's certificate as a server's.
#[derive(Debug)]
struct Verifier {
    authorities: Arc<WebPkiServerVerifier>,
    named: Box<[CertificateDer<'static>]>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.authorities.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        );
        match verified {
            // Its dates are good: they are looked at before this.
            Err(error) if is_of_authority(&error) && self.named.contains(end_entity) => {
                if is_for_others(end_entity) {
                    return Err(CertificateError::InvalidPurpose.into());
                }
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}

/// Whether nothing but this is wrong, so far: a server shows an authority's certificate.
fn is_of_authority(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(other)) = error else {
        return false;
    };
    matches!(
        other.0.downcast_ref(),
        Some(webpki::Error::CaUsedAsEndEntity)
    )
}

/// Whether a certificate says what it is for (extendedKeyUsage, RFC 5280, section 4.2.1.12), and servers are not among it.
/// The verifier looks at that last, and its parser does not tell it. These bytes by chance can only mean a refusal.
fn is_for_others(certificate: &[u8]) -> bool {
    const EXTENDED_KEY_USAGE: &[u8] = b"\x06\x03\x55\x1d\x25";
    const SERVER_AUTH: &[u8] = b"\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01";
    let has = |part: &[u8]| certificate.windows(part.len()).any(|bytes| bytes == part);
    has(EXTENDED_KEY_USAGE) && !has(SERVER_AUTH)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::{
        BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose as Purpose, IsCa, KeyPair,
    };

    use super::*;

    const DAY: u64 = 24 * 60 * 60;

    /// As `openssl req -x509` makes it, good for 2020.
    fn self_signed(name: &str) -> CertificateDer<'static> {
        self_signed_for(name, &[])
    }

    /// The same, which says that it is for these purposes alone.
    fn self_signed_for(name: &str, purposes: &[Purpose]) -> CertificateDer<'static> {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.extended_key_usages = purposes.to_vec();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().clone()
    }

    fn verify(
        named: &[CertificateDer<'static>],
        shown: &CertificateDer<'static>,
        name: &str,
        year: u64,
    ) -> Result<(), Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(named.iter().cloned());
        let roots = match roots.is_empty() {
            true => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
            false => roots,
        };
        let authorities = WebPkiServerVerifier::builder_with_provider(roots.into(), provider);
        let verifier = Verifier {
            authorities: authorities.build().unwrap(),
            named: named.into(),
        };
        let now = Duration::from_secs(((year - 1970) * 365 + 100) * DAY);
        let now = UnixTime::since_unix_epoch(now);
        let name = name.to_owned().try_into().unwrap();
        let verified = verifier.verify_server_cert(shown, &[], &name, &[], now);
        verified.map(drop)
    }

    #[test]
    fn the_certificate_of_an_authority_that_is_named_is_good_for_its_own_server() {
        let shown = self_signed("a.example");
        let named = [self_signed("b.example"), shown.clone()];
        assert_eq!(verify(&named, &shown, "a.example", 2020), Ok(()));
    }

    #[test]
    fn its_name_and_its_dates_count() {
        let shown = self_signed("a.example");
        let named = [shown.clone()];
        for (name, year, is_reason) in [
            ("b.example", 2020, "NotValidForName"),
            ("a.example", 2019, "NotValidYet"),
            ("a.example", 2022, "Expired"),
        ] {
            let error = verify(&named, &shown, name, year).unwrap_err();
            assert!(format!("{error:?}").contains(is_reason), "{error:?}");
        }
    }

    #[test]
    fn one_that_is_for_other_than_servers_is_refused() {
        for (purposes, is_taken) in [
            (&[Purpose::ClientAuth][..], false),
            (&[Purpose::ClientAuth, Purpose::ServerAuth], true),
        ] {
            let shown = self_signed_for("a.example", purposes);
            let verified = verify(std::slice::from_ref(&shown), &shown, "a.example", 2020);
            assert_eq!(verified.is_ok(), is_taken, "{verified:?}");
        }
    }

    #[test]
    fn one_that_is_not_named_to_the_byte_is_refused() {
        let shown = self_signed("a.example");
        for named in [&[][..], &[self_signed("a.example")]] {
            let error = verify(named, &shown, "a.example", 2020).unwrap_err();
            assert!(is_of_authority(&error), "{error:?}");
        }
    }
}
