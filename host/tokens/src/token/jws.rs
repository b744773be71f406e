//! A strict reader of the compact form of JSON Web Signature (RFC 7515, section 7.1) with claims as its payload.
//!
//! It reads what a token says and judges nothing of it: no part of what it gives may be relied upon until the signature
//! is found good.

use std::fmt;

use crate::judge::refusal::Refusal;
use crate::token::base64url;
use crate::token::claims::Claims;
use crate::token::header::Header;
use crate::token::json;

/// The longest token that is read, in bytes. The tokens of the issuers known have 1 to 4 KiB.
pub const LONGEST_TOKEN: usize = 16 * 1024;

/// The most values in a header. Those of the issuers known have 3 to 6, and a chain of certificates a few more.
const HEADER_VALUES: usize = 50;

/// The most values in a payload, those of its lists counted: 200 groups, as many as Entra puts into a token, are well
/// below it. They are read before the signature is checked, to find the issuer, so reading them may take about as
/// long as the check, and no longer.
const PAYLOAD_VALUES: usize = 500;

/// A part of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The first.
    Header,
    /// The second: the claims.
    Payload,
    /// The third.
    Signature,
}

/// A token that was read and not judged.
pub struct Jws<'a> {
    pub(crate) parts: CompactParts<'a>,
    pub(crate) claims: Claims,
}

/// The parts of a token, of which the payload may be anything.
pub(crate) struct CompactParts<'a> {
    /// The first two parts with the dot between, over which the signature goes.
    pub(crate) signed: &'a str,
    pub(crate) header: Header,
    pub(crate) payload: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl<'a> CompactParts<'a> {
    pub(crate) fn read(token: &'a str) -> Result<Self, Refusal> {
        if token.len() > LONGEST_TOKEN {
            return Err(Refusal::TooLong(token.len()));
        }
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            let dots = token.bytes().filter(|byte| *byte == b'.').count();
            return Err(Refusal::Parts(dots + 1));
        };
        for (text, part) in [
            (header, Part::Header),
            (payload, Part::Payload),
            (signature, Part::Signature),
        ] {
            if text.is_empty() {
                return Err(Refusal::EmptyPart(part));
            }
        }
        Ok(Self {
            signed: &token[..header.len() + 1 + payload.len()],
            header: read_header(header)?,
            payload: bytes(payload, Part::Payload)?,
            signature: bytes(signature, Part::Signature)?,
        })
    }
}

impl<'a> Jws<'a> {
    /// Reads a token.
    ///
    /// # Errors
    /// If it is too long, or not a compact JWS with claims, or has a header that is not supported.
    pub fn read(token: &'a str) -> Result<Self, Refusal> {
        let parts = CompactParts::read(token)?;
        let claims = json::read_object(&parts.payload, PAYLOAD_VALUES)
            .map_err(|error| Refusal::Json(Part::Payload, error))?;
        Ok(Self {
            claims: Claims::new(claims),
            parts,
        })
    }

    /// Who the token says has issued it: good for choosing among trusted issuers, and for nothing else.
    ///
    /// # Errors
    /// If it does not say so in one text.
    pub fn unverified_issuer(&self) -> Result<&str, Refusal> {
        self.claims.issuer()
    }
}

fn read_header(text: &str) -> Result<Header, Refusal> {
    let bytes = bytes(text, Part::Header)?;
    let members = json::read_object(&bytes, HEADER_VALUES);
    Header::read(&members.map_err(|error| Refusal::Json(Part::Header, error))?)
}

fn bytes(text: &str, part: Part) -> Result<Vec<u8>, Refusal> {
    base64url::decode(text).ok_or(Refusal::Encoding(part))
}

/// Nothing of it: a token is a secret until it has expired.
impl fmt::Debug for Jws<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jws").finish_non_exhaustive()
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
        })
    }
}

#[cfg(test)]
mod tests;
