//! What went wrong with a request, in the words of `wasi:http`.

use std::error::Error as StdError;
use std::io;

use wasmtime_wasi_http::Error;

use super::client::RESPONSE_HEAD_LIMIT;
use super::connect::{ConnectTimeout, LookupError};
use super::destination::Destination;
use super::policy::Refusal;
use super::tls_failure::{self, causes};
use crate::line::Remedy;

/// A request had no response.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OutboundError {
    /// It was not allowed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It was, and no TLS connection could be made.
    #[error("outbound call to {0} failed: {1}")]
    Tls(Destination, String, Error),
    /// It was, and went wrong.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl OutboundError {
    /// The setting that would allow the call, if it was refused for want of one.
    pub(crate) fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::Refused(refusal) => refusal.remedy().map(Remedy::Outbound),
            Self::Tls(..) | Self::Failed(_) => None,
        }
    }
}

/// Says why the client failed with a request to `destination`.
pub(crate) fn of_request(
    error: &hyper_util::client::legacy::Error,
    destination: &Destination,
) -> OutboundError {
    for cause in causes(error) {
        if let Some(LookupError::Prohibited(prohibited)) = cause.downcast_ref() {
            return Refusal::Address(destination.clone(), *prohibited).into();
        }
        if let Some(refusal) = cause.downcast_ref::<Refusal>() {
            return refusal.clone().into();
        }
    }
    let known = if error.is_connect() {
        causes(error).filter_map(of_connecting).last()
    } else {
        causes(error).find_map(of_exchange)
    };
    let unknown = if error.is_connect() {
        Error::DestinationUnavailable
    } else {
        Error::HttpProtocolError
    };
    let known = known.unwrap_or(unknown);
    match tls_failure::told(error) {
        Some(words) => OutboundError::Tls(destination.clone(), words, known),
        None => OutboundError::Failed(known),
    }
}

/// Says why a response body ended early.
pub(crate) fn of_body(error: &hyper::Error) -> Error {
    causes(error)
        .find_map(of_exchange)
        .unwrap_or(Error::HttpProtocolError)
}

type Cause<'a> = &'a (dyn StdError + 'static);

fn of_connecting(cause: Cause<'_>) -> Option<Error> {
    if let Some(error) = cause.downcast_ref::<LookupError>() {
        return Some(of_lookup(error));
    }
    if cause.is::<ConnectTimeout>() {
        return Some(Error::ConnectionTimeout);
    }
    if let Some(error) = cause.downcast_ref::<rustls::Error>() {
        return Some(of_tls(error));
    }
    let kind = cause.downcast_ref::<io::Error>()?.kind();
    match kind {
        io::ErrorKind::ConnectionRefused => Some(Error::ConnectionRefused),
        io::ErrorKind::TimedOut => Some(Error::ConnectionTimeout),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Some(Error::DestinationIpUnroutable)
        }
        // TCP connects or does not; what ends early is the TLS handshake.
        io::ErrorKind::UnexpectedEof => Some(Error::TlsProtocolError),
        _ => of_broken_connection(kind),
    }
}

fn of_lookup(error: &LookupError) -> Error {
    match error {
        LookupError::Timeout => Error::DnsTimeout,
        LookupError::Prohibited(_) => Error::DestinationIpProhibited,
        LookupError::Failed(_) | LookupError::NoAddress => Error::DnsError {
            rcode: None,
            info_code: None,
        },
    }
}

fn of_tls(error: &rustls::Error) -> Error {
    match error {
        rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => {
            Error::TlsCertificateError
        }
        rustls::Error::AlertReceived(alert) => Error::TlsAlertReceived {
            alert_id: Some(u8::from(*alert)),
            alert_message: alert.as_str().map(str::to_owned),
        },
        _ => Error::TlsProtocolError,
    }
}

fn of_exchange(cause: Cause<'_>) -> Option<Error> {
    if let Some(error) = cause.downcast_ref::<hyper::Error>() {
        return of_hyper(error);
    }
    if let Some(Error::HttpRequestBodySize(size)) = cause.downcast_ref() {
        return Some(Error::HttpRequestBodySize(*size));
    }
    of_broken_connection(cause.downcast_ref::<io::Error>()?.kind())
}

fn of_hyper(error: &hyper::Error) -> Option<Error> {
    if error.is_parse_too_large() {
        Some(Error::HttpResponseHeaderSectionSize(Some(
            RESPONSE_HEAD_LIMIT,
        )))
    } else if error.is_incomplete_message() {
        Some(Error::HttpResponseIncomplete)
    } else if error.is_timeout() {
        Some(Error::ConnectionReadTimeout)
    } else if error.is_canceled() || error.is_closed() {
        Some(Error::ConnectionTerminated)
    } else {
        None
    }
}

fn of_broken_connection(kind: io::ErrorKind) -> Option<Error> {
    match kind {
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected => Some(Error::ConnectionTerminated),
        io::ErrorKind::UnexpectedEof => Some(Error::HttpResponseIncomplete),
        io::ErrorKind::TimedOut => Some(Error::ConnectionReadTimeout),
        _ => None,
    }
}
