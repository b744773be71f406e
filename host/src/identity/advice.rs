//! What to do about a caller who is not let in: which setting, which command.
//!
//! `host.toml` has the settings of an issuer below `[issuers.NAME]` and those of a function below `[functions.NAME]`.

use std::fmt::{self, Display, Formatter};

use host_tokens::{NotInvoker, Refusal, Rejection, Shown};

/// Where no setting helps.
const MADE_ANEW: &str = "none: the token has to be made anew, by its issuer";
const ISSUERS_KEYS: &str =
    "none: the issuer has to publish other keys, and says which here: `host auth doctor ISSUER`";

/// A rejection with the command that helps, where one does.
#[derive(Clone, Copy, Debug)]
pub struct AdvisedRejection<'a>(pub &'a Rejection);

/// Who is not let in, with the flags that would change that.
#[derive(Clone, Debug)]
pub struct AdvisedCaller(pub NotInvoker);

impl Display for AdvisedRejection<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(rejection) = self;
        write!(f, "{rejection}")?;
        match rejection {
            Rejection::Refused(Refusal::IdToken) => {
                f.write_str("; get one with `host auth print-access-token`")
            }
            Rejection::Unreadable(_) => f.write_str("; restore a backup of the store"),
            Rejection::NoKeys(issuer) => write!(f, "; see why with `host auth doctor {issuer}`"),
            _ => Ok(()),
        }
    }
}

impl Display for AdvisedCaller {
    /// The flags are left out where the caller chose a name that a shell would act on.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(not_invoker) = self;
        write!(f, "{not_invoker}")?;
        match not_invoker.plain_name() {
            Some(member) => write!(
                f,
                "; if it should be, add it with --member={member} --role=roles/cloudfunctions.invoker"
            ),
            None => Ok(()),
        }
    }
}

/// The setting to change if a token that is refused so should be accepted. Where there is none, what has to change
/// instead.
pub fn refusal_setting(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::AccessToken(_) => "`access-tokens = true` of the issuer",
        Refusal::TokenType { found, .. } if is_access_token(found) => {
            "`access-tokens = true` of the issuer"
        }
        Refusal::IdToken => "none: get an access token with `host auth print-access-token`",
        Refusal::TokenType { .. } => "none: show an ID token of this issuer in its place",
        Refusal::UnknownIssuer(_) | Refusal::Issuer { .. } => {
            "`--issuer` of `host serve`, or `url` below `[issuers.NAME]`"
        }
        Refusal::AlgorithmNotAllowed { .. } => "`algorithms` of the issuer",
        Refusal::UnknownKey(_) => {
            "`keys-url` of the issuer, if its keys are elsewhere: `host auth doctor ISSUER`"
        }
        Refusal::NoKey(_) | Refusal::SeveralKeys(_) | Refusal::AmbiguousKey { .. } => ISSUERS_KEYS,
        Refusal::KeyAlgorithm { .. } => ISSUERS_KEYS,
        Refusal::Audience { .. } => {
            "`audiences` of the function or of the issuer, `--audience`, or `--public-url` of `host serve`"
        }
        Refusal::AuthorizedParty { .. } => "`authorized-parties` of the issuer",
        Refusal::Expired { .. } | Refusal::NotYetValid { .. } | Refusal::IssuedInFuture { .. } => {
            "`leeway` of the issuer, if its clock is the one that is off"
        }
        Refusal::Lifetime { .. } => "`max-lifetime` of the issuer",
        Refusal::Age { .. } => "`max-age` of the issuer",
        Refusal::Claim { .. } => "`require` of the issuer, or what its `provider` asks for",
        Refusal::UnknownAccount(_) => "the account: `host iam service-accounts create`",
        Refusal::AccountAddress { .. } => "none: get a token of the account as it is now",
        // Its form, its signature, or claims that no setting is about.
        _ => MADE_ANEW,
    }
}

/// The same of a rejection.
pub fn rejection_setting(rejection: &Rejection) -> &'static str {
    match rejection {
        Rejection::Refused(refusal) => refusal_setting(refusal),
        Rejection::Unreadable(_) => "none: restore a backup of the store",
        Rejection::NoKeys(_) => "`keys-url`, `ca-file` or `bearer-file` of the issuer",
        Rejection::Revoked { .. } => {
            "none: what is revoked stays so; have another token made, by another key or for another subject"
        }
        _ => "none: the reason says what is wrong",
    }
}

fn is_access_token(kind: &Shown) -> bool {
    let kind = kind.to_string().to_ascii_lowercase();
    kind.trim_matches('"').ends_with("at+jwt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_tokens_are_told_of_their_setting_by_claims_and_by_type() {
        let setting = "`access-tokens = true` of the issuer";
        assert_eq!(refusal_setting(&Refusal::AccessToken("scp")), setting);
        let typed = |text: &str| Refusal::TokenType {
            found: Shown::text(text),
            expected: "JWT or none",
        };
        assert_eq!(refusal_setting(&typed("AT+JWT")), setting);
        assert!(refusal_setting(&typed("logout+jwt")).starts_with("none"));
        assert_eq!(refusal_setting(&Refusal::Signature), MADE_ANEW);
    }

    #[test]
    fn a_rejection_that_a_command_helps_with_names_it() {
        let advised = |rejection: &Rejection| AdvisedRejection(rejection).to_string();
        let issuer: host_tokens::IssuerUrl = "https://a.example".parse().unwrap();
        let no_keys = advised(&Rejection::NoKeys(issuer.clone()));
        assert!(
            no_keys.ends_with("`host auth doctor https://a.example`"),
            "{no_keys}"
        );
        let unreadable = advised(&Rejection::Unreadable(issuer));
        assert!(
            unreadable.ends_with("restore a backup of the store"),
            "{unreadable}"
        );
        let refused = Rejection::Refused(Refusal::Signature);
        assert_eq!(advised(&refused), Refusal::Signature.to_string());
    }
}
