//! The checks on the claims of a token, in order: its audience, its times, its subject, and what its issuer is asked for.
//!
//! They are run anew each time a token is used, also when its signature is known to be good.

use crate::issuer::config::{IssuerConfig, ServiceAccounts, TokenKinds};
use crate::judge::check::Check;
use crate::judge::refusal::Refusal;
use crate::shown::Shown;
use crate::signing::access_token::{OUTSIDE_SUBJECT, OWNER_SUBJECT};
use crate::token::claims::Claims;
use crate::token::numeric_date::NumericDate;

/// Claims, and what they are judged by.
pub(crate) struct ClaimCase<'a> {
    pub(crate) config: &'a IssuerConfig,
    /// Those of the function that is called.
    pub(crate) audiences: &'a [String],
    pub(crate) claims: &'a Claims,
    pub(crate) now: NumericDate,
}

/// The longest `sub`, in bytes (OpenID Connect Core, section 2).
const LONGEST_SUBJECT: usize = 255;

impl ClaimCase<'_> {
    pub(crate) const CHECKS: [Check<Self>; 12] = [
        Check {
            title: "audience (aud)",
            judge: audience,
            expected: |case| one_of(case.accepted_audiences()),
            found: |case| case.shown("aud"),
        },
        Check {
            title: "client (azp)",
            judge: authorized_party,
            expected: |case| match case.config.authorized_parties.as_slice() {
                [] => "any".into(),
                parties => one_of(parties.iter()),
            },
            found: |case| case.shown("azp"),
        },
        Check {
            title: "expiry (exp)",
            judge: expiry,
            expected: |case| format!("after {}, less {:?}", case.now, case.config.leeway),
            found: |case| case.shown_date("exp"),
        },
        Check {
            title: "start (nbf)",
            judge: start,
            expected: |case| format!("none, or by {}, plus {:?}", case.now, case.config.leeway),
            found: |case| case.shown_date("nbf"),
        },
        Check {
            title: "issue (iat)",
            judge: issue,
            expected: |case| format!("none, or by {}, plus {:?}", case.now, case.config.leeway),
            found: |case| case.shown_date("iat"),
        },
        Check {
            title: "order of exp, iat and nbf",
            judge: order,
            expected: |_| "expiry last".into(),
            found: |case| {
                let [exp, iat, nbf] = ["exp", "iat", "nbf"].map(|claim| case.shown_date(claim));
                format!("exp {exp}, iat {iat}, nbf {nbf}")
            },
        },
        Check {
            title: "lifetime",
            judge: lifetime,
            expected: |case| format!("at most {:?}", case.config.max_lifetime),
            found: |case| {
                let lived = (case.claims.date("exp"), case.lives_from());
                match lived {
                    (Ok(Some(end)), Ok(start)) => format!("{} s", end.seconds() - start.seconds()),
                    _ => "unknown".into(),
                }
            },
        },
        Check {
            title: "age",
            judge: age,
            expected: |case| match case.config.max_age {
                Some(oldest) => format!("at most {oldest:?}"),
                None => "any".into(),
            },
            found: |case| match case.claims.date("iat") {
                Ok(Some(issued)) => format!("{} s", case.now.seconds() - issued.seconds()),
                _ => "unknown".into(),
            },
        },
        Check {
            title: "subject (sub)",
            judge: |case| subject(case.claims).map(|_| ()),
            expected: |_| format!("a text of 1 to {LONGEST_SUBJECT} bytes"),
            found: |case| case.shown("sub"),
        },
        Check {
            title: "kind of token",
            judge: kind,
            expected: |case| match (case.config.kinds, case.config.access_token_claims) {
                (TokenKinds::Id, claims @ [_, ..]) => {
                    format!("an ID token, which has none of {}", claims.join(", "))
                }
                _ => "any that its type allows".into(),
            },
            found: |case| match marks(case).next() {
                Some(claim) => format!("an access token, since it has {claim}"),
                None => "no mark of an access token".into(),
            },
        },
        Check {
            title: "claims asked for",
            judge: required,
            expected: |case| match case.config.required.as_slice() {
                [] => "none".into(),
                matches => matches
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("; "),
            },
            found: |case| {
                let found = case
                    .config
                    .required
                    .iter()
                    .map(|rule| rule.found(case.claims));
                found
                    .map(|shown| shown.to_string())
                    .collect::<Vec<_>>()
                    .join("; ")
            },
        },
        Check {
            title: "service account",
            judge: |case| match &case.config.service_accounts {
                Some(_) if stands_for_no_account(case) => Ok(()),
                Some(accounts) => service_account(case.claims, accounts),
                None => Ok(()),
            },
            expected: |case| match &case.config.service_accounts {
                Some(_) => "an account of this host, and its address if any".into(),
                None => "none, since the issuer is another".into(),
            },
            found: |case| format!("sub {}, email {}", case.shown("sub"), case.shown("email")),
        },
    ];

    fn accepted_audiences(&self) -> impl Iterator<Item = &String> {
        self.audiences.iter().chain(&self.config.audiences)
    }

    /// From when a token's life is counted: its issue or, where it does not tell, its start or this moment.
    fn lives_from(&self) -> Result<NumericDate, Refusal> {
        let issued = self.claims.date("iat")?;
        Ok(issued.or(self.claims.date("nbf")?).unwrap_or(self.now))
    }

    fn shown(&self, claim: &str) -> String {
        self.claims.shown(claim).to_string()
    }

    fn shown_date(&self, claim: &'static str) -> String {
        match self.claims.date(claim) {
            Ok(Some(date)) => date.to_string(),
            _ => self.shown(claim),
        }
    }
}

/// One audience of the token is enough (RFC 7519, section 4.1.3), compared byte by byte.
fn audience(case: &ClaimCase<'_>) -> Result<(), Refusal> {
    let found = case.claims.audiences()?;
    if case
        .accepted_audiences()
        .any(|own| !own.is_empty() && found.contains(&own.as_str()))
    {
        return Ok(());
    }
    Err(Refusal::Audience {
        expected: one_of(case.accepted_audiences()),
        found: case.claims.shown("aud"),
    })
}

/// The claims by which it is an access token.
fn marks<'a>(case: &'a ClaimCase<'_>) -> impl Iterator<Item = &'static str> + 'a {
    let marks = case.config.access_token_claims.iter().copied();
    marks.filter(|claim| case.claims.get(claim).is_some())
}

fn kind(case: &ClaimCase<'_>) -> Result<(), Refusal> {
    match marks(case).next() {
        Some(claim) if case.config.kinds == TokenKinds::Id => Err(Refusal::AccessToken(claim)),
        _ => Ok(()),
    }
}

fn authorized_party(case: &ClaimCase<'_>) -> Result<(), Refusal> {
    let found = case.claims.text("azp")?;
    let accepted = &case.config.authorized_parties;
    if accepted.is_empty() || found.is_some_and(|found| accepted.iter().any(|own| own == found)) {
        return Ok(());
    }
    Err(Refusal::AuthorizedParty {
        expected: one_of(accepted.iter()),
        found: case.claims.shown("azp"),
    })
}

/// On its expiry a token is no longer good (RFC 7519, section 4.1.4).
fn expiry(case: &ClaimCase<'_>) -> Result<(), Refusal> {
    let (expiry, leeway) = (expires(case.claims)?, case.config.leeway);
    if case.now < expiry.plus(leeway) {
        return Ok(());
    }
    Err(Refusal::Expired {
        expiry,
        now: case.now,
        leeway,
    })
}

fn start(case: &ClaimCase<'_>) -> Result<(), Refusal> {
    let leeway = case.config.leeway;
    match case.claims.date("nbf")? {
        Some(start) if start > case.now.plus(leeway) => Err(Refusal::NotYetValid {
            start,
            now: case.now,
            leeway,
        }),
        _ => Ok(()),
    }
}

fn issue(case: &ClaimCase<'_>) -> Result<(), Refusal> {
    let leeway = case.config.leeway;
    match case.claims.date("iat")? {
        Some(issued) if issued > case.now.plus(leeway) => Err(Refusal::IssuedInFuture {
            issued,
            now: case.now,
            leeway,
        }),
        _ => Ok(()),
    }
}

fn order(case: &ClaimCase<'_>) -> Result<(), Refusal> {
    let expiry = expires(case.claims)?;
    for claim in ["iat", "nbf"] {
        if let Some(start) = case.claims.date(claim)?.filter(|start| expiry <= *start) {
            return Err(Refusal::EndsBeforeStart {
                expiry,
                claim,
                start,
            });
        }
    }
    Ok(())
}

fn lifetime(case: &ClaimCase<'_>) -> Result<(), Refusal> {
    let (start, expiry) = (case.lives_from()?, expires(case.claims)?);
    let longest = case.config.max_lifetime;
    if expiry <= start.plus(longest) {
        return Ok(());
    }
    Err(Refusal::Lifetime {
        start,
        expiry,
        longest,
    })
}

fn age(case: &ClaimCase<'_>) -> Result<(), Refusal> {
    let Some(oldest) = case.config.max_age else {
        return Ok(());
    };
    let issued = case.claims.date("iat")?.ok_or(Refusal::Missing("iat"))?;
    if case.now <= issued.plus(oldest).plus(case.config.leeway) {
        return Ok(());
    }
    Err(Refusal::Age { issued, oldest })
}

fn required(case: &ClaimCase<'_>) -> Result<(), Refusal> {
    match case
        .config
        .required
        .iter()
        .find(|rule| !rule.matches(case.claims))
    {
        None => Ok(()),
        Some(rule) => Err(Refusal::Claim {
            claim: rule.claim().to_owned(),
            expected: rule.expected(),
            found: rule.found(case.claims),
        }),
    }
}

/// Access tokens of the host's own are also for its owner and for outside principals, each by a subject of its own.
fn stands_for_no_account(case: &ClaimCase<'_>) -> bool {
    let subjects = [OWNER_SUBJECT, OUTSIDE_SUBJECT];
    case.config.kinds == TokenKinds::Access
        && subject(case.claims).is_ok_and(|subject| subjects.contains(&subject))
}

fn service_account(claims: &Claims, accounts: &ServiceAccounts) -> Result<(), Refusal> {
    let subject = subject(claims)?;
    let address = accounts
        .address(subject)
        .ok_or_else(|| Refusal::UnknownAccount(Shown::text(subject)))?;
    match claims.text("email")? {
        Some(found) if found != &**address => Err(Refusal::AccountAddress {
            expected: address.to_string(),
            found: Shown::text(found),
        }),
        _ => Ok(()),
    }
}

pub(crate) fn subject(claims: &Claims) -> Result<&str, Refusal> {
    let subject = claims.text("sub")?.ok_or(Refusal::Missing("sub"))?;
    if subject.is_empty() {
        return Err(Refusal::EmptySubject);
    }
    if subject.len() > LONGEST_SUBJECT {
        return Err(Refusal::LongSubject(subject.len()));
    }
    if subject.chars().any(char::is_control) {
        return Err(Refusal::SubjectCharacter(Shown::text(subject)));
    }
    Ok(subject)
}

pub(crate) fn expires(claims: &Claims) -> Result<NumericDate, Refusal> {
    claims.date("exp")?.ok_or(Refusal::Missing("exp"))
}

fn one_of<'a>(values: impl Iterator<Item = &'a String>) -> String {
    let quoted: Vec<String> = values.map(|value| format!("{value:?}")).collect();
    match quoted.as_slice() {
        [] => "an audience, but none is configured".into(),
        values => values.join(" or "),
    }
}
