//! Token exchange (RFC 8693): the form that a client sends and what it is answered, without a network and a clock.
//!
//! The parameters `audience`, `resource` and `scope` are read over. Clients put the name of a pool of Google's into
//! `audience`, and an audience is accepted because it is one of the control plane or of the issuer's settings, never
//! because a client names it. What a token may do is said by the roles of its principal.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

/// The longest form, in bytes: a token and some parameters.
pub const LONGEST_FORM: usize = 32 * 1024;

/// The most parameters.
const MOST_PARAMETERS: usize = 32;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// Parameters that may be given more than once (RFC 8693, section 2.1).
const REPEATABLE: [&str; 2] = ["audience", "resource"];

/// A request to exchange a token.
pub struct ExchangeRequest {
    /// The token of the outside issuer. Nothing of it was looked at.
    pub subject_token: String,
}

/// What a client is answered whose token was exchanged (RFC 8693, section 2.2.1).
pub struct ExchangeAnswer {
    /// The access token, which is a secret until it has expired.
    pub access_token: String,
    /// How long it is good, in whole seconds.
    pub lifetime: Duration,
}

/// Why no token is exchanged (RFC 6749, section 5.2).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{description}")]
pub struct ExchangeError {
    /// What is wrong.
    pub code: ExchangeErrorCode,
    /// For the client's developer: ASCII without quotation marks and backslashes.
    pub description: Cow<'static, str>,
}

/// What is wrong with a request for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExchangeErrorCode {
    /// A parameter is missing, twice there or not supported.
    InvalidRequest,
    /// The subject token is refused.
    InvalidGrant,
    /// It asks for something other than token exchange.
    UnsupportedGrantType,
    /// The host cannot tell now, since it has no keys of the issuer.
    TemporarilyUnavailable,
    /// The host cannot make a token.
    ServerError,
}

impl ExchangeErrorCode {
    /// The code as clients read it. The last two are those of RFC 6749, section 4.1.2.1.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidGrant => "invalid_grant",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::ServerError => "server_error",
        }
    }

    /// The HTTP status of the answer.
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequest | Self::InvalidGrant | Self::UnsupportedGrantType => 400,
            Self::TemporarilyUnavailable => 503,
            Self::ServerError => 500,
        }
    }
}

impl ExchangeError {
    /// With a description of ASCII without quotation marks and backslashes.
    pub fn new(code: ExchangeErrorCode, description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            description: description.into(),
        }
    }

    /// The body of the answer.
    pub fn to_json(&self) -> Value {
        json!({"error": self.code.as_str(), "error_description": self.description})
    }
}

impl ExchangeAnswer {
    /// The body of the answer. It is not to be stored: send it with `Cache-Control: no-store`.
    pub fn to_json(&self) -> Value {
        json!({
            "access_token": self.access_token,
            "issued_token_type": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": self.lifetime.as_secs(),
        })
    }
}

impl ExchangeRequest {
    /// Reads the body of a request, of the type `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// If it is too long, has a parameter twice, lacks one, or asks for something else.
    pub fn read(form: &[u8]) -> Result<Self, ExchangeError> {
        let mut parameters = parameters(form)?;
        let mut take = |name: &str| parameters.remove(name);
        match take("grant_type") {
            None => return Err(invalid("the parameter grant_type is missing")),
            Some(grant) if grant != GRANT_TYPE => {
                return Err(ExchangeError::new(
                    ExchangeErrorCode::UnsupportedGrantType,
                    format!(
                        "the grant_type is not supported; expected {GRANT_TYPE}, or get a token with host auth print-access-token"
                    ),
                ));
            }
            Some(_) => {}
        }
        let kind = take("subject_token_type")
            .ok_or_else(|| invalid("the parameter subject_token_type is missing"))?;
        if ![JWT, ID_TOKEN].contains(&&*kind) {
            let expected =
                format!("the subject_token_type is not supported; expected {JWT} or {ID_TOKEN}");
            return Err(invalid(expected));
        }
        if take("requested_token_type").is_some_and(|kind| kind != ACCESS_TOKEN) {
            let expected =
                format!("the requested_token_type is not supported; expected {ACCESS_TOKEN}");
            return Err(invalid(expected));
        }
        // To leave it out would make a token for somebody who was not meant to act alone.
        if take("actor_token").is_some() || take("actor_token_type").is_some() {
            return Err(invalid("actor_token is not supported; leave it out"));
        }
        let token = take("subject_token");
        let token = token.ok_or_else(|| invalid("the parameter subject_token is missing"))?;
        Ok(Self {
            subject_token: token.into_owned(),
        })
    }
}

/// Every parameter with a value: one without counts as left out (RFC 6749, section 3.2).
fn parameters(form: &[u8]) -> Result<BTreeMap<Cow<'_, str>, Cow<'_, str>>, ExchangeError> {
    if form.len() > LONGEST_FORM {
        let bound = format!("the form is longer than the {LONGEST_FORM} bytes allowed");
        return Err(invalid(bound));
    }
    let mut parameters = BTreeMap::new();
    for (place, (name, value)) in form_urlencoded::parse(form).enumerate() {
        if place == MOST_PARAMETERS {
            let bound = format!("the form has more than the {MOST_PARAMETERS} parameters allowed");
            return Err(invalid(bound));
        }
        if value.is_empty() || REPEATABLE.contains(&&*name) {
            continue;
        }
        if parameters.insert(name, value).is_some() {
            return Err(invalid("a parameter is given twice; give each once"));
        }
    }
    Ok(parameters)
}

fn invalid(description: impl Into<Cow<'static, str>>) -> ExchangeError {
    ExchangeError::new(ExchangeErrorCode::InvalidRequest, description)
}

impl fmt::Debug for ExchangeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeRequest").finish_non_exhaustive()
    }
}

impl fmt::Debug for ExchangeAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeAnswer")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
