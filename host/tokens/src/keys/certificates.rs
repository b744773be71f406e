//! Keys as certificates: a JSON object that has a PEM certificate for each name of a key, which is how Google publishes
//! those of Firebase and of its service accounts.
//!
//! What is used of a certificate is its key. Who signed it and when it ends say nothing: the document was fetched from
//! its issuer, and what is not in it any more is withdrawn.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::json;

use crate::token::base64url;
use crate::token::json::{self, Object};

/// A certificate, and the name of its key.
#[derive(Debug)]
pub(crate) struct NamedCertificate {
    pub(crate) name: String,
    pem: String,
}

/// The most values in such a document; more than any key set has keys.
const MOST_VALUES: usize = 1000;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// The identifier of RSA keys, rsaEncryption (RFC 8017, appendix A.1), in DER.
const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// The certificates of `document`, if that is what it is. An object without any is none: it may be any answer at all.
pub(crate) fn read(document: &[u8]) -> Option<Vec<NamedCertificate>> {
    let object = json::read_object(document, MOST_VALUES).ok()?;
    let named = object.into_iter().map(|(name, value)| {
        let pem = value.as_str().filter(|pem| pem.starts_with(BEGIN))?;
        let pem = pem.to_owned();
        Some(NamedCertificate { name, pem })
    });
    let named: Vec<_> = named.collect::<Option<_>>()?;
    (!named.is_empty()).then_some(named)
}

impl NamedCertificate {
    /// Its key as a JWK, if that is an RSA key.
    pub(crate) fn jwk(&self) -> Option<Object> {
        let certificate = CertificateDer::from_pem_slice(self.pem.as_bytes()).ok()?;
        let (modulus, exponent) = rsa_key(&certificate)?;
        let jwk = json!({
            "kty": "RSA",
            "kid": self.name,
            "n": base64url::encode(modulus),
            "e": base64url::encode(exponent),
        });
        jwk.as_object().cloned()
    }
}

/// Modulus and exponent of the key in a certificate (RFC 5280, section 4.1).
fn rsa_key(certificate: &[u8]) -> Option<(&[u8], &[u8])> {
    let (certificate, _) = element(certificate, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    // The version stands there unless it is the first.
    if let Some((_, after)) = element(rest, VERSION) {
        rest = after;
    }
    let (_serial, mut rest) = element(rest, INTEGER)?;
    for _signature_issuer_validity_subject in 0..4 {
        (_, rest) = element(rest, SEQUENCE)?;
    }
    let (key_info, _) = element(rest, SEQUENCE)?;
    let (algorithm, key) = element(key_info, SEQUENCE)?;
    let (identifier, _) = element(algorithm, IDENTIFIER)?;
    if identifier != RSA_ENCRYPTION {
        return None;
    }
    let (bits, _) = element(key, BIT_STRING)?;
    // How many bits of the last byte do not count: none.
    let (key, _) = element(bits.strip_prefix(&[0])?, SEQUENCE)?;
    let (modulus, rest) = element(key, INTEGER)?;
    let (exponent, _) = element(rest, INTEGER)?;
    Some((positive(modulus), positive(exponent)))
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// The contents of the element with this tag that `der` begins with, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let rest = der.strip_prefix(&[tag])?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (length, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            let length = length.iter();
            let length = length.fold(0, |length, &byte| (length << 8) | usize::from(byte));
            (length, rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// A positive number without the zero before it that keeps it positive.
fn positive(number: &[u8]) -> &[u8] {
    number.strip_prefix(&[0]).unwrap_or(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::KeySet;
    use crate::algorithm::Algorithm;

    /// Made with `openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=securetoken.system.gserviceaccount.com`.
    const RSA: &str = include_str!("certificates/rsa.pem");
    /// The same with `-newkey ec -pkeyopt ec_paramgen_curve:P-256`.
    const EC: &str = include_str!("certificates/ec.pem");

    #[test]
    fn a_document_of_certificates_is_a_key_set() {
        let document = json!({"one": RSA, "two": EC, "three": format!("{BEGIN}\nAAAA\n")});
        let set = KeySet::read(document.to_string().as_bytes()).unwrap();
        assert_eq!(set.keys().len(), 1);
        assert_eq!(set.keys()[0].id(), Some("one"));
        assert!(
            set.keys()[0]
                .algorithms()
                .any(|its| its == Algorithm::Rs256)
        );
        assert_eq!(set.left_out().len(), 2);
    }

    #[test]
    fn a_certificate_that_is_cut_anywhere_has_no_key_and_does_no_harm() {
        let whole = CertificateDer::from_pem_slice(RSA.as_bytes()).unwrap();
        assert!(rsa_key(&whole).is_some());
        for end in 0..whole.len() {
            assert_eq!(rsa_key(&whole[..end]), None, "{end}");
        }
        for place in 0..whole.len() {
            let mut changed = whole.to_vec();
            changed[place] ^= 0xff;
            // Whatever comes of it.
            let _ = rsa_key(&changed);
        }
    }

    #[test]
    fn what_is_not_certificates_alone_is_no_such_document() {
        for document in [
            json!({}),
            json!({"error": "not found"}),
            json!({"one": RSA, "error": 7}),
            json!([RSA]),
            json!({"keys": []}),
        ] {
            assert!(
                read(document.to_string().as_bytes()).is_none(),
                "{document}"
            );
        }
    }
}
