//! Judges who calls the control plane.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Map, Value};

use super::{Rejected, Rejection, Trust, TrustedIssuer};
use crate::issuer::config::{IssuerConfig, TokenKinds};
use crate::issuer::email::EmailAddress;
use crate::issuer::url::IssuerUrl;
use crate::signing::access_token::{OUTSIDE_CLAIM, OUTSIDE_SUBJECT, OWNER_SUBJECT};
use crate::token::claims::Claims;
use crate::{
    ControlCaller, Jws, LONGEST_LIFETIME, Principal, Refusal, Shown, Verified,
    control_plane_audience,
};

impl Trust {
    /// Judges a token of somebody who calls the control plane. Of the host's own issuer it takes access tokens only
    /// (RFC 9068, section 4), of outside issuers what a function with these `audiences` would take.
    ///
    /// # Errors
    /// The first reason to reject it.
    pub fn judge_control_plane(
        &self,
        token: &str,
        audiences: &Arc<[String]>,
        now: SystemTime,
    ) -> Result<ControlCaller, Rejected> {
        let read = Jws::read(token)?;
        let trusted = self.choose(&read)?;
        let judged = match trusted.config.service_accounts {
            Some(_) => self.judge_access_token(read, trusted, now),
            None => self
                .judge_read(read, trusted, audiences, now)
                .map(|caller| ControlCaller::Outside(Box::new(caller))),
        };
        judged.map_err(|rejection| Rejected {
            rejection,
            issuer: Some(Arc::clone(&trusted.config)),
        })
    }

    /// One of the host's own issuer.
    fn judge_access_token(
        &self,
        read: Jws<'_>,
        own: &TrustedIssuer,
        now: SystemTime,
    ) -> Result<ControlCaller, Rejection> {
        let config = IssuerConfig {
            kinds: TokenKinds::Access,
            // The control plane's is the only one, whatever else the settings name.
            audiences: Vec::new(),
            max_lifetime: LONGEST_LIFETIME,
            ..IssuerConfig::clone(&own.config)
        };
        let audiences = [control_plane_audience(&config.issuer)].into();
        let own = TrustedIssuer {
            config: Arc::new(config),
            ..own.clone()
        };
        let verified = self.judge_read(read, &own, &audiences, now)?;
        let subject = &verified.principal.subject;
        if subject == OWNER_SUBJECT {
            return Ok(ControlCaller::Owner);
        }
        if subject == OUTSIDE_SUBJECT {
            let caller = self.outside(verified)?;
            return Ok(ControlCaller::Outside(Box::new(caller)));
        }
        match verified.service_account {
            Some(email) => Ok(ControlCaller::ServiceAccount {
                email,
                subject: verified.principal.subject,
            }),
            // None passes the checks.
            None => Err(Refusal::UnknownAccount(Shown::text(subject)).into()),
        }
    }

    /// The outside principal that a good access token names, as its issuer is trusted now.
    fn outside(&self, token: Verified) -> Result<Verified, Rejection> {
        let named = Named(token.claims.get(OUTSIDE_CLAIM));
        let issuer = named.text("iss").unwrap_or_default();
        let config = issuer
            .parse::<IssuerUrl>()
            .ok()
            .and_then(|url| self.issuers.get(&url))
            .filter(|config| config.service_accounts.is_none())
            .ok_or_else(|| Refusal::UnknownIssuer(Shown::text(issuer)))?;
        let subject = named.text("sub").ok_or_else(|| named.malformed())?;
        let email = named.text("email").and_then(|text| text.parse().ok());
        let email = email.filter(|address: &EmailAddress| {
            config.emails.covers(address) && !self.accounts.claim(address)
        });
        let caller = Verified {
            principal: Principal {
                issuer: config.issuer.clone(),
                subject: subject.to_owned(),
            },
            service_account: None,
            token_id: named.text("jti").map(str::to_owned),
            key_id: named.text("kid").map(str::to_owned),
            claims: outside_claims(&config.issuer, subject, email.as_ref()),
            email,
            ..token
        };
        self.check_revocations(&caller)?;
        Ok(caller)
    }
}

/// The claim that names an outside principal.
struct Named<'a>(Option<&'a Value>);

impl<'a> Named<'a> {
    fn text(&self, name: &str) -> Option<&'a str> {
        self.0?.get(name)?.as_str()
    }

    fn malformed(&self) -> Refusal {
        Refusal::Malformed {
            claim: OUTSIDE_CLAIM,
            expected: "an object with iss and sub",
            found: Shown::claim(self.0),
        }
    }
}

/// What is known of the outside token's claims; of the access token's own none counts.
fn outside_claims(issuer: &IssuerUrl, subject: &str, email: Option<&EmailAddress>) -> Claims {
    let mut claims = Map::new();
    claims.insert("iss".into(), issuer.as_str().into());
    claims.insert("sub".into(), subject.into());
    if let Some(address) = email {
        claims.insert("email".into(), address.to_string().into());
        claims.insert("email_verified".into(), true.into());
    }
    Claims::new(claims)
}

#[cfg(test)]
mod tests;
