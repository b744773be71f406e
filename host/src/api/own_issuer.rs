//! The host's own issuer, as methods change it.

use super::{Code, Status};
use crate::identity::OwnIssuerError;

/// Why the issuer did not do what a method asked.
pub(super) fn failed(error: OwnIssuerError) -> Status {
    match error {
        OwnIssuerError::Store(error) => error.into(),
        error @ OwnIssuerError::ManyKeys(_) => {
            Status::new(Code::ResourceExhausted, error.to_string())
        }
        error => Status::new(Code::Internal, error.to_string()),
    }
}
