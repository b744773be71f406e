//! Why a TLS connection could not be made, in words that say what to do.
//!
//! For servers that call out themselves with [`rustls`] and [`hyper`], whose errors these functions read.

use std::error::Error as StdError;
use std::fmt::Write as _;
use std::io;

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};

/// The most names of a certificate that are shown.
const MOST_NAMES: usize = 5;

type Cause<'a> = &'a (dyn StdError + 'static);

/// The error and what caused it, outermost first, those inside of I/O errors included.
pub fn causes<'a>(error: Cause<'a>) -> impl Iterator<Item = Cause<'a>> {
    std::iter::successors(Some(error), |error| inner(*error))
}

fn inner(error: Cause<'_>) -> Option<Cause<'_>> {
    match error.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref().map(|inner| inner as _),
        None => error.source(),
    }
}

/// What was wrong with TLS, if that is why `error` came.
pub fn told(error: Cause<'_>) -> Option<String> {
    causes(error).find_map(|cause| match cause.downcast_ref::<Error>() {
        Some(error) => Some(in_words(error)),
        None => is_early_end(cause).then(|| EARLY_END.to_owned()),
    })
}

/// What went wrong, down to the first cause: in words if it was TLS.
pub fn all_causes(error: Cause<'_>) -> String {
    if let Some(words) = told(error) {
        return words;
    }
    if causes(error).any(is_no_http) {
        return "the answer is not HTTP; perhaps the server expects https:// rather than http://"
            .into();
    }
    let mut texts: Vec<String> = causes(error).map(ToString::to_string).collect();
    // Wrappers say no more than that something was wrapped.
    if texts.len() > 1 {
        texts.remove(0);
    }
    texts.dedup();
    texts.join(": ")
}

fn is_no_http(cause: Cause<'_>) -> bool {
    let error = cause.downcast_ref::<hyper::Error>();
    error.is_some_and(|error| error.is_parse() && !error.is_parse_too_large())
}

const EARLY_END: &str = "the server ended the connection during the TLS handshake";

/// Whether it is the error of `tokio_rustls` for a handshake that the other end broke off.
fn is_early_end(cause: Cause<'_>) -> bool {
    let error = cause.downcast_ref::<io::Error>();
    error.is_some_and(|error| {
        error.kind() == io::ErrorKind::UnexpectedEof && error.to_string().contains("handshake")
    })
}

fn in_words(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => of_certificate(error),
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "the server does not speak TLS there; perhaps it expects http:// rather than https://"
                .into()
        }
        Error::AlertReceived(alert) => of_alert(*alert),
        Error::NoCertificatesPresented => "the server shows no certificate".into(),
        Error::PeerIncompatible(reason) => {
            format!(
                "the server speaks no TLS that is accepted here, which is 1.2 and 1.3: {reason:?}"
            )
        }
        other => format!("the TLS handshake failed: {other}"),
    }
}

fn of_alert(alert: AlertDescription) -> String {
    let name = alert.as_str().unwrap_or("an alert without a name");
    let reason = match alert {
        AlertDescription::ProtocolVersion => "; it speaks neither TLS 1.2 nor 1.3",
        AlertDescription::UnrecognisedName => "; it serves nothing by this name",
        AlertDescription::CertificateRequired | AlertDescription::BadCertificate => {
            "; it may want a client certificate, which is not supported"
        }
        _ => "",
    };
    format!("the server refused the TLS handshake with `{name}`{reason}")
}

fn of_certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired => "the server's certificate has expired".into(),
        CertificateError::ExpiredContext { not_after, .. } => {
            let date = date(*not_after);
            format!("the server's certificate has expired: it was good until {date}")
        }
        CertificateError::NotValidYet => NOT_YET.into(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            let date = date(*not_before);
            format!("{NOT_YET}: it is from {date} on; perhaps a clock is wrong")
        }
        CertificateError::UnknownIssuer => {
            "the server's certificate is signed by nobody who is trusted here; if it is right, trust the certificate of \
             its authority, or its own if it is self-signed, as a certificate authority (CA) file"
                .into()
        }
        CertificateError::NotValidForName => "the server's certificate is for another name".into(),
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => format!(
            "the server's certificate is not for {}: {}",
            expected.to_str(),
            names(presented)
        ),
        CertificateError::Revoked => "the server's certificate is revoked".into(),
        CertificateError::BadEncoding => "the server's certificate cannot be read".into(),
        CertificateError::BadSignature => {
            "a signature of the server's certificate, or by it, is wrong".into()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the server's certificate is not for servers (extendedKeyUsage)".into()
        }
        CertificateError::Other(other) => match other.0.downcast_ref() {
            Some(webpki::Error::CaUsedAsEndEntity) => {
                "the server shows the certificate of an authority (CA:TRUE) as its own, as `openssl req -x509` makes it; \
                 to trust it, name this very certificate in the certificate authority (CA) file"
                    .into()
            }
            Some(webpki::Error::UnsupportedCertVersion) => {
                "the server's certificate is of an old version of X.509; expected version 3".into()
            }
            _ => format!("the server's certificate is not accepted: {}", other.0),
        },
        other => format!("the server's certificate is not accepted: {other}"),
    }
}

const NOT_YET: &str = "the server's certificate is not good yet";

fn date(time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).ok();
    let date = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
    date.map_or_else(|| "a time that is no date".into(), |date| date.to_string())
}

/// The names of a certificate, which come as `DnsName("a.example")`.
fn names(presented: &[String]) -> String {
    if presented.is_empty() {
        return "it has no subject alternative name (subjectAltName), and a common name (CN) does not count".into();
    }
    let mut text = String::from("it is for ");
    for (index, name) in presented.iter().take(MOST_NAMES).enumerate() {
        let inside = name.split_once('(').map_or(&**name, |(_, rest)| rest);
        let inside = inside.trim_end_matches(')').trim_matches('"');
        let comma = if index == 0 { "" } else { ", " };
        // Writing to a string does not fail.
        let _ = write!(text, "{comma}{}", inside.escape_debug());
    }
    if presented.len() > MOST_NAMES {
        text.push_str(" and more");
    }
    text
}

#[cfg(test)]
mod tests {
    use rustls::OtherError;
    use std::sync::Arc;

    use super::*;

    fn certificate(error: CertificateError) -> String {
        // As it comes from a handshake.
        let error = io::Error::new(io::ErrorKind::InvalidData, Error::from(error));
        told(&error).unwrap()
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_told_in_words() {
        let at = |seconds| UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let expired = certificate(CertificateError::ExpiredContext {
            time: at(2),
            not_after: at(1),
        });
        assert!(
            expired.ends_with("good until 1970-01-01T00:00:01Z"),
            "{expired}"
        );
        let early = certificate(CertificateError::NotValidYetContext {
            time: at(0),
            not_before: at(1),
        });
        assert!(early.contains("from 1970-01-01T00:00:01Z on"), "{early}");
        let other = |presented: &[&str]| {
            certificate(CertificateError::NotValidForNameContext {
                expected: "a.example".try_into().unwrap(),
                presented: presented.iter().map(ToString::to_string).collect(),
            })
        };
        let told = other(&["DnsName(\"b.example\")", "IpAddress(127.0.0.1)"]);
        assert!(
            told.ends_with("not for a.example: it is for b.example, 127.0.0.1"),
            "{told}"
        );
        assert!(other(&[]).contains("subjectAltName"));
        assert!(other(&["DnsName(\"a\")"; 6]).ends_with("a, a, a, a, a and more"));
        assert!(certificate(CertificateError::UnknownIssuer).contains("CA"));
        let ca = OtherError(Arc::new(webpki::Error::CaUsedAsEndEntity));
        assert!(certificate(CertificateError::Other(ca)).contains("CA:TRUE"));
    }

    #[test]
    fn other_failures_are_told_as_well() {
        let plain = Error::InvalidMessage(InvalidMessage::InvalidContentType);
        let plain = io::Error::new(io::ErrorKind::InvalidData, plain);
        assert!(told(&plain).unwrap().contains("http://"));
        let alert = Error::AlertReceived(AlertDescription::HandshakeFailure);
        assert!(told(&alert).unwrap().contains("HandshakeFailure"));
        let end = io::Error::new(io::ErrorKind::UnexpectedEof, "tls handshake eof");
        assert_eq!(told(&end).as_deref(), Some(EARLY_END));
        assert_eq!(
            told(&io::Error::from(io::ErrorKind::ConnectionRefused)),
            None
        );
    }
}
