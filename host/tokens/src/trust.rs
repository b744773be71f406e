//! Everything that a token is judged by, at one moment.
//!
//! What changes makes a new [`Trust`] with another generation, so that verdicts that were remembered under the old one
//! are not taken for new ones.

mod control_plane;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::SystemTime;

use crate::revocation::{ANY_ISSUER, Revocation, RevokedKind};
use crate::{
    AmbiguousIssuer, IssuerConfig, IssuerUrl, Issuers, Jws, KeyRequest, KeySet, Refusal,
    ServiceAccounts, Shown, Step, Verified, Verifier,
};

/// The shortest signature as a token holds it, in characters: that of a curve of 256 bits. Shorter words are no tokens.
const SHORTEST_SIGNATURE: usize = 86;

/// An issuer with its keys.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TrustedIssuer {
    /// What its tokens have to be like.
    pub config: Arc<IssuerConfig>,
    /// Its keys, while they can be relied upon.
    pub keys: Option<Arc<KeySet>>,
    /// How to ask for newer ones, if they are fetched.
    pub request: Option<KeyRequest>,
}

impl TrustedIssuer {
    /// An issuer without keys so far: none of its tokens can be checked.
    pub fn new(config: impl Into<Arc<IssuerConfig>>) -> Self {
        Self {
            config: config.into(),
            keys: None,
            request: None,
        }
    }

    /// Gives it these keys; `None` if there are none that can be relied upon.
    #[must_use]
    pub fn with_keys(mut self, keys: Option<Arc<KeySet>>) -> Self {
        self.keys = keys;
        self
    }

    /// Says how to ask for newer keys.
    #[must_use]
    pub fn with_request(mut self, request: KeyRequest) -> Self {
        self.request = Some(request);
        self
    }
}

/// The issuers that are trusted, their keys, and what is revoked. Cheap to clone, so that each thread can have its own
/// and none of them counts references in memory that another one does.
///
/// ```
/// use std::sync::Arc;
///
/// use host_tokens::{
///     Algorithm, IssuerConfig, IssuerUrl, KeySet, Rejection, Revocation, RevokedKind, Trust,
///     TrustedIssuer,
/// };
///
/// # use std::time::SystemTime;
/// # use host_tokens::{IdToken, SigningAlgorithm, SigningKey, jwks_document, mint};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let key = SigningKey::generate(SigningAlgorithm::EdDsa)?;
/// # let keys = KeySet::read(jwks_document([key.public()]).to_string().as_bytes())?;
/// # let now = SystemTime::now();
/// let issuer: IssuerUrl = "https://id.example".parse()?;
/// # let token = mint(&issuer, &key, &IdToken::new("ada", "https://functions.example"), now)?;
/// let config = IssuerConfig::new(issuer.clone(), [Algorithm::EdDsa]);
/// let trusted = TrustedIssuer::new(config).with_keys(Some(Arc::new(keys)));
/// let audiences: Arc<[String]> = ["https://functions.example".to_owned()].into();
///
/// let trust = Trust::new(1, vec![trusted.clone()], [])?;
/// assert!(trust.judge(&token, &audiences, now).is_ok());
///
/// let revoked = Revocation {
///     issuer: issuer.to_string(),
///     kind: RevokedKind::Subject,
///     value: "ada".to_owned(),
/// };
/// let trust = Trust::new(2, vec![trusted], [revoked])?;
/// let rejected = trust.judge(&token, &audiences, now).unwrap_err();
/// assert!(matches!(rejected.rejection, Rejection::Revoked { .. }));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Trust {
    generation: u64,
    issuers: Issuers,
    /// In the order of the issuers.
    trusted: Vec<TrustedIssuer>,
    revoked: Arc<HashSet<Revocation>>,
    /// The host's own.
    accounts: Arc<ServiceAccounts>,
}

/// Why a token does not let anybody in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// It is not good.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It is good, and revoked.
    #[error("the {} {value} of {issuer} is revoked", kind.word())]
    Revoked {
        /// Whose it is.
        issuer: IssuerUrl,
        /// What of it.
        kind: RevokedKind,
        /// Its value.
        value: String,
    },
    /// It is good, and a record that cannot be read may have revoked it.
    #[error("a revocation cannot be read, and may be of this token of {0}")]
    Unreadable(IssuerUrl),
    /// Nobody can tell.
    #[error("there are no keys of {0} to check it with")]
    NoKeys(IssuerUrl),
}

/// A rejection, and whose the token is said to be.
#[derive(Debug)]
pub struct Rejected {
    /// Why.
    pub rejection: Rejection,
    /// The trusted issuer that the token names; `None` if it names none, or could not be read so far.
    pub issuer: Option<Arc<IssuerConfig>>,
}

impl From<Rejection> for Rejected {
    fn from(rejection: Rejection) -> Self {
        Self {
            rejection,
            issuer: None,
        }
    }
}

impl From<Refusal> for Rejected {
    fn from(refusal: Refusal) -> Self {
        Rejection::from(refusal).into()
    }
}

impl Rejection {
    /// The reason in one word, for counters.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Revoked { .. } | Self::Unreadable(_) => "revoked",
            Self::NoKeys(_) => "no_keys",
        }
    }

    /// Whether newer keys of the issuer, or newer accounts of the host's own, could make the token good.
    pub fn wants_newer_keys(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.wants_newer_keys(),
            // They may be on their way.
            Self::NoKeys(_) => true,
            Self::Revoked { .. } | Self::Unreadable(_) => false,
        }
    }
}

impl Trust {
    /// # Errors
    /// If two issuers go by the same name.
    pub fn new(
        generation: u64,
        trusted: Vec<TrustedIssuer>,
        revoked: impl IntoIterator<Item = Revocation>,
    ) -> Result<Self, AmbiguousIssuer> {
        let configs = trusted.iter().map(|issuer| Arc::clone(&issuer.config));
        let mut accounts = trusted.iter();
        let accounts = accounts.find_map(|issuer| issuer.config.service_accounts.clone());
        Ok(Self {
            generation,
            issuers: Issuers::new(configs.collect())?,
            trusted,
            revoked: Arc::new(revoked.into_iter().collect()),
            accounts: accounts.unwrap_or_default(),
        })
    }

    /// Differs whenever a verdict may.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Judges a token for `audiences`. It is read once, whatever comes of it.
    ///
    /// # Errors
    /// The first reason to reject it.
    pub fn judge(
        &self,
        token: &str,
        audiences: &Arc<[String]>,
        now: SystemTime,
    ) -> Result<Verified, Rejected> {
        let read = Jws::read(token)?;
        let trusted = self.choose(&read)?;
        self.judge_read(read, trusted, audiences, now)
            .map_err(|rejection| Rejected {
                rejection,
                issuer: Some(Arc::clone(&trusted.config)),
            })
    }

    fn judge_read(
        &self,
        read: Jws<'_>,
        trusted: &TrustedIssuer,
        audiences: &Arc<[String]>,
        now: SystemTime,
    ) -> Result<Verified, Rejection> {
        let keys = trusted.keys.as_ref();
        let keys = keys.ok_or_else(|| Rejection::NoKeys(trusted.config.issuer.clone()))?;
        let verifier = self.verifier(&trusted.config, audiences);
        let verified = verifier.verify_read(read, keys, now)?;
        self.check_revocations(&verified)?;
        Ok(verified)
    }

    /// Judges a token that was found good in this generation, perhaps for other audiences and some time ago.
    ///
    /// # Errors
    /// The first reason to reject it.
    pub fn judge_again(
        &self,
        verified: &Verified,
        audiences: &Arc<[String]>,
        now: SystemTime,
    ) -> Result<(), Rejected> {
        // Within a generation no settings change, so its standing says it all.
        if verified.standing.holds(audiences, now) {
            return Ok(());
        }
        let issuer = &verified.principal.issuer;
        let config = self.issuers.get(issuer);
        // A remembered issuer is one of this generation.
        let config = config.ok_or_else(|| Rejection::NoKeys(issuer.clone()))?;
        let verified = self.verifier(config, audiences).verify_again(verified, now);
        verified.map_err(|refusal| Rejected {
            rejection: refusal.into(),
            issuer: Some(Arc::clone(config)),
        })
    }

    /// How to ask for newer keys of a trusted issuer.
    pub fn key_request(&self, issuer: &IssuerUrl) -> Option<&KeyRequest> {
        let mut trusted = self.trusted.iter();
        let trusted = trusted.find(|trusted| trusted.config.issuer == *issuer)?;
        trusted.request.as_ref()
    }

    /// Every check of `token`, in order, and what came of it.
    pub fn explain(
        &self,
        token: &str,
        audiences: &Arc<[String]>,
        now: SystemTime,
    ) -> Result<(Vec<Step>, Option<Rejection>), Rejection> {
        let read = Jws::read(token)?;
        let trusted = self.choose(&read)?;
        let keys = trusted.keys.as_ref();
        let keys = keys.ok_or_else(|| Rejection::NoKeys(trusted.config.issuer.clone()))?;
        let verifier = self.verifier(&trusted.config, audiences);
        let steps = verifier.explain(token, keys, now);
        let rejected = self.judge(token, audiences, now).err();
        Ok((steps, rejected.map(|rejected| rejected.rejection)))
    }

    fn verifier(&self, config: &Arc<IssuerConfig>, audiences: &Arc<[String]>) -> Verifier {
        Verifier::new(Arc::clone(config), Arc::clone(audiences)).beside(Arc::clone(&self.accounts))
    }

    /// Whether `token` says that it comes from a trusted issuer. Whether it does, nobody has looked at.
    pub fn is_named_by(&self, token: &str) -> bool {
        token.len() > SHORTEST_SIGNATURE
            && Jws::read(token).is_ok_and(|read| self.choose(&read).is_ok())
    }

    fn choose(&self, token: &Jws<'_>) -> Result<&TrustedIssuer, Refusal> {
        let chosen = self.issuers.choose(token)?;
        let mut trusted = self.trusted.iter();
        trusted
            .find(|issuer| Arc::ptr_eq(&issuer.config, chosen))
            .ok_or_else(|| Refusal::UnknownIssuer(Shown::text(chosen.issuer.as_str())))
    }

    fn check_revocations(&self, verified: &Verified) -> Result<(), Rejection> {
        if self.revoked.is_empty() {
            return Ok(());
        }
        let Verified {
            principal,
            token_id,
            key_id,
            ..
        } = verified;
        let looked_at = [
            (RevokedKind::Subject, Some(&principal.subject)),
            (RevokedKind::Token, token_id.as_ref()),
            (RevokedKind::Key, key_id.as_ref()),
        ];
        let own = principal.issuer.as_str();
        let named = looked_at
            .into_iter()
            .filter_map(|(kind, value)| Some((own, kind, value?.as_str())));
        let unreadable = [own, ANY_ISSUER].map(|issuer| (issuer, RevokedKind::Unreadable, ""));
        for (issuer, kind, value) in named.chain(unreadable) {
            let revocation = Revocation {
                issuer: issuer.to_owned(),
                kind,
                value: value.to_owned(),
            };
            if self.revoked.contains(&revocation) {
                return Err(match kind {
                    RevokedKind::Unreadable => Rejection::Unreadable(principal.issuer.clone()),
                    _ => Rejection::Revoked {
                        issuer: principal.issuer.clone(),
                        kind,
                        value: revocation.value,
                    },
                });
            }
        }
        Ok(())
    }
}
