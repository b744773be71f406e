//! Which tokens open the control plane, and which doors an access token does not open.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::tests::forge::{NOW, at, signer};
use crate::{
    AccessToken, Algorithm, EmailTrust, IdToken, KeySet, Revocation, RevokedKind, ServiceAccounts,
    SigningAlgorithm, SigningKey, jwks_document, mint, mint_access_token,
};

const OWN: &str = "https://own.example";
const OUTSIDE: &str = "https://outside.example";
const CONTROL: &str = "https://control.example";
const FUNCTION: &str = "https://own.example/hello";
const ACCOUNT: &str = "100000000000000000001";
const ADDRESS: &str = "caller@host.internal";

fn url(text: &str) -> IssuerUrl {
    text.parse().unwrap()
}

/// Two issuers with a key each. What the own one would never make is signed with the ES256 key of the tests.
struct Keys {
    own: SigningKey,
    outside: SigningKey,
}

impl Keys {
    fn new() -> Self {
        let key = || SigningKey::generate(SigningAlgorithm::EdDsa).unwrap();
        Self {
            own: key(),
            outside: key(),
        }
    }

    fn own(&self) -> TrustedIssuer {
        let accounts = [(ACCOUNT.to_owned(), ADDRESS.to_owned())];
        let mut document = jwks_document([self.own.public()]);
        let forged = signer(Algorithm::Es256).jwk.clone();
        document["keys"].as_array_mut().unwrap().push(forged);
        let config = IssuerConfig::new(url(OWN), [Algorithm::EdDsa, Algorithm::Es256])
            .with_service_accounts(accounts.into_iter().collect::<ServiceAccounts>());
        trusted(config, &document)
    }

    fn outside(&self) -> TrustedIssuer {
        let config = IssuerConfig::new(url(OUTSIDE), [Algorithm::EdDsa]);
        trusted(config, &jwks_document([self.outside.public()]))
    }

    fn trust(&self) -> Trust {
        Trust::new(1, vec![self.own(), self.outside()], []).unwrap()
    }

    fn revoking(&self, issuer: &str, kind: RevokedKind, value: &str) -> Trust {
        let revocation = Revocation {
            issuer: issuer.to_owned(),
            kind,
            value: value.to_owned(),
        };
        Trust::new(1, vec![self.own(), self.outside()], [revocation]).unwrap()
    }

    fn access(&self, token: AccessToken<'_>) -> String {
        mint_access_token(&url(OWN), &self.own, &token, at(NOW)).unwrap()
    }

    fn outside_id(&self, audience: &str) -> String {
        let token = IdToken::new("ada", audience).with_email("ada@example.com");
        mint(&url(OUTSIDE), &self.outside, &token, at(NOW)).unwrap()
    }

    /// What the outside principal gets for their token.
    fn exchanged(&self) -> String {
        let token = self.outside_id(CONTROL);
        let Ok(ControlCaller::Outside(caller)) = control(&self.trust(), &token) else {
            panic!("not accepted");
        };
        self.access(AccessToken::of_outside(&caller))
    }
}

fn trusted(config: IssuerConfig, document: &Value) -> TrustedIssuer {
    let keys = KeySet::read(document.to_string().as_bytes()).unwrap();
    TrustedIssuer::new(config).with_keys(Some(Arc::new(keys)))
}

/// Who that is, or the reason to refuse it in a word.
fn control(trust: &Trust, token: &str) -> Result<ControlCaller, &'static str> {
    let audiences = [CONTROL.to_owned()].into();
    let caller = trust.judge_control_plane(token, &audiences, at(NOW));
    caller.map_err(|rejected| rejected.rejection.code())
}

/// A token of the own issuer of any shape.
fn forged(kind: Option<&str>, changes: &Value) -> String {
    let signer = signer(Algorithm::Es256);
    let mut header = json!({"alg": "ES256", "kid": "ES256"});
    if let Some(kind) = kind {
        header["typ"] = kind.into();
    }
    let claims = json!({
        "iss": OWN, "aud": control_plane_audience(&url(OWN)), "sub": ACCOUNT, "client_id": ACCOUNT,
        "jti": "j", "iat": NOW, "exp": NOW + 3600,
    });
    signer.token(&header, &crate::tests::forge::changed(claims, changes))
}

#[test]
fn own_access_tokens_open_the_control_plane() {
    let keys = Keys::new();
    let trust = keys.trust();
    let owner = keys.access(AccessToken::of_owner());
    assert_eq!(control(&trust, &owner), Ok(ControlCaller::Owner));
    let account = keys.access(AccessToken::of_service_account(ACCOUNT, ADDRESS));
    let expected = ControlCaller::ServiceAccount {
        email: ADDRESS.parse().unwrap(),
        subject: ACCOUNT.to_owned(),
    };
    assert_eq!(control(&trust, &account), Ok(expected.clone()));
    for kind in ["at+jwt", "application/at+jwt", "AT+JWT"] {
        assert_eq!(
            control(&trust, &forged(Some(kind), &json!({}))),
            Ok(expected.clone())
        );
    }
}

#[test]
fn an_outside_principal_is_the_same_by_its_own_token_and_by_an_exchanged_one() {
    let keys = Keys::new();
    for token in [keys.outside_id(CONTROL), keys.exchanged()] {
        let Ok(ControlCaller::Outside(caller)) = control(&keys.trust(), &token) else {
            panic!("not accepted");
        };
        for member in [
            "principal:https://outside.example#ada",
            "user:ada@example.com",
        ] {
            let member: crate::Member = member.parse().unwrap();
            assert!(member.is(&caller), "{member}");
        }
        assert_eq!(caller.claims.get("email_verified"), Some(&json!(true)));
        assert_eq!(caller.service_account, None);
    }
}

#[test]
fn no_id_token_of_the_own_issuer_opens_the_control_plane() {
    let keys = Keys::new();
    let audience = control_plane_audience(&url(OWN));
    for audience in [audience.as_str(), CONTROL, FUNCTION] {
        let token = IdToken::new(ACCOUNT, audience).with_email(ADDRESS);
        let token = mint(&url(OWN), &keys.own, &token, at(NOW)).unwrap();
        assert_eq!(
            control(&keys.trust(), &token),
            Err("id_token"),
            "{audience}"
        );
    }
    for kind in [None, Some("JWT"), Some("application/jwt")] {
        for subject in ["owner", "outside", ACCOUNT] {
            let token = forged(kind, &json!({"sub": subject}));
            assert_eq!(control(&keys.trust(), &token), Err("id_token"), "{kind:?}");
        }
    }
    for kind in ["logout+jwt", "", "at"] {
        let token = forged(Some(kind), &json!({}));
        assert_eq!(control(&keys.trust(), &token), Err("token_type"), "{kind}");
    }
}

#[test]
fn no_access_token_opens_a_function_though_its_audience_were_that_of_the_function() {
    let keys = Keys::new();
    let audiences: Arc<[String]> = [FUNCTION.to_owned(), control_plane_audience(&url(OWN))].into();
    let verdict = |token: &str| {
        let verdict = keys.trust().judge(token, &audiences, at(NOW));
        verdict.unwrap_err().rejection.code()
    };
    for token in [
        keys.access(AccessToken::of_owner()),
        keys.access(AccessToken::of_service_account(ACCOUNT, ADDRESS)),
        keys.exchanged(),
        forged(Some("at+jwt"), &json!({"aud": FUNCTION})),
        forged(Some("application/AT+JWT"), &json!({"aud": FUNCTION})),
    ] {
        assert_eq!(verdict(&token), "token_type");
    }
    // The same claims as an ID token are let in, so it is the type that refuses.
    let token = forged(Some("JWT"), &json!({"aud": FUNCTION}));
    assert!(keys.trust().judge(&token, &audiences, at(NOW)).is_ok());
}

#[test]
fn an_access_token_is_judged_like_any_other() {
    let keys = Keys::new();
    for (changes, code) in [
        (json!({"aud": CONTROL}), "audience"),
        (json!({"aud": FUNCTION}), "audience"),
        (json!({"aud": "https://own.example"}), "audience"),
        (json!({"aud": null}), "missing_claim"),
        (json!({"exp": NOW + 3601}), "lifetime"),
        (json!({"iat": NOW - 7200, "exp": NOW - 3600}), "expired"),
        (json!({"exp": null}), "missing_claim"),
        (json!({"sub": null}), "missing_claim"),
        (json!({"sub": "100000000000000000002"}), "unknown_account"),
        (json!({"sub": "Owner"}), "unknown_account"),
        (json!({"email": "other@host.internal"}), "account_address"),
        (json!({"sub": "outside"}), "unknown_issuer"),
        (
            json!({"sub": "outside", "outside": {"iss": OUTSIDE}}),
            "malformed_claim",
        ),
        (
            json!({"sub": "outside", "outside": {"iss": OWN, "sub": "owner"}}),
            "unknown_issuer",
        ),
        (
            json!({"sub": "outside", "outside": "ada"}),
            "unknown_issuer",
        ),
    ] {
        let token = forged(Some("at+jwt"), &changes);
        assert_eq!(control(&keys.trust(), &token), Err(code), "{changes}");
    }
    let stranger = SigningKey::generate(SigningAlgorithm::EdDsa).unwrap();
    let token = mint_access_token(&url(OWN), &stranger, &AccessToken::of_owner(), at(NOW)).unwrap();
    assert_eq!(control(&keys.trust(), &token), Err("unknown_key"));
    // Nor does an outside issuer make one in our name, or for our owner.
    let token = AccessToken::of_owner();
    let token = mint_access_token(&url(OUTSIDE), &keys.outside, &token, at(NOW)).unwrap();
    assert_eq!(control(&keys.trust(), &token), Err("token_type"));
}

#[test]
fn an_audience_of_the_own_issuers_settings_is_none_of_the_control_plane() {
    let keys = Keys::new();
    let mut own = keys.own();
    own.config = Arc::new(IssuerConfig::clone(&own.config).with_audiences([FUNCTION]));
    let trust = Trust::new(1, vec![own], []).unwrap();
    let token = forged(Some("at+jwt"), &json!({"aud": FUNCTION}));
    assert_eq!(control(&trust, &token), Err("audience"));
}

#[test]
fn outside_tokens_are_for_the_control_plane_or_for_an_audience_of_their_issuers_settings() {
    let keys = Keys::new();
    let other = keys.outside_id(FUNCTION);
    assert_eq!(control(&keys.trust(), &other), Err("audience"));
    let own_audience = keys.outside_id(&control_plane_audience(&url(OWN)));
    assert_eq!(control(&keys.trust(), &own_audience), Err("audience"));
    let mut outside = keys.outside();
    outside.config = Arc::new(IssuerConfig::clone(&outside.config).with_audiences([FUNCTION]));
    let trust = Trust::new(1, vec![outside], []).unwrap();
    assert!(control(&trust, &other).is_ok());
}

#[test]
fn what_is_revoked_opens_nothing() {
    let keys = Keys::new();
    let (owner, exchanged) = (keys.access(AccessToken::of_owner()), keys.exchanged());
    let account = keys.access(AccessToken::of_service_account(ACCOUNT, ADDRESS));
    let id = |token: &str| {
        let read = Jws::read(token).unwrap();
        let kid = read.parts.header.key_id.clone().unwrap();
        let name = read.claims.get("jti").and_then(Value::as_str).unwrap();
        (name.to_owned(), kid)
    };
    let exchanged_for = match control(&keys.trust(), &exchanged) {
        Ok(ControlCaller::Outside(caller)) => (caller.token_id.unwrap(), caller.key_id.unwrap()),
        other => panic!("{other:?}"),
    };
    for (token, issuer, kind, value) in [
        (&owner, OWN, RevokedKind::Subject, "owner"),
        (&owner, OWN, RevokedKind::Token, &id(&owner).0),
        (&owner, OWN, RevokedKind::Key, &id(&owner).1),
        (&account, OWN, RevokedKind::Subject, ACCOUNT),
        (&account, OWN, RevokedKind::Token, &id(&account).0),
        (&exchanged, OWN, RevokedKind::Subject, "outside"),
        (&exchanged, OWN, RevokedKind::Token, &id(&exchanged).0),
        (&exchanged, OWN, RevokedKind::Key, &id(&exchanged).1),
        (&exchanged, OUTSIDE, RevokedKind::Subject, "ada"),
        (&exchanged, OUTSIDE, RevokedKind::Token, &exchanged_for.0),
        (&exchanged, OUTSIDE, RevokedKind::Key, &exchanged_for.1),
        (&exchanged, OUTSIDE, RevokedKind::Unreadable, ""),
    ] {
        let trust = keys.revoking(issuer, kind, value);
        assert_eq!(
            control(&trust, token),
            Err("revoked"),
            "{issuer} {kind:?} {value}"
        );
        assert!(control(&keys.trust(), token).is_ok());
    }
}

#[test]
fn an_exchanged_token_is_good_only_while_its_outside_issuer_is_trusted() {
    let keys = Keys::new();
    let exchanged = keys.exchanged();
    let trust = Trust::new(1, vec![keys.own()], []).unwrap();
    assert_eq!(control(&trust, &exchanged), Err("unknown_issuer"));
    // And it has an address only as long as the issuer may speak for it.
    let mut outside = keys.outside();
    let config = IssuerConfig::clone(&outside.config).with_emails(EmailTrust::None);
    outside.config = Arc::new(config);
    let trust = Trust::new(1, vec![keys.own(), outside], []).unwrap();
    let Ok(ControlCaller::Outside(caller)) = control(&trust, &exchanged) else {
        panic!("not accepted");
    };
    assert_eq!((&caller.email, caller.claims.get("email")), (&None, None));
}

#[test]
fn an_outside_address_is_never_one_of_an_own_account() {
    let keys = Keys::new();
    let named = json!({"iss": OUTSIDE, "sub": "owner", "email": ADDRESS});
    let token = forged(Some("at+jwt"), &json!({"sub": "outside", "outside": named}));
    let Ok(ControlCaller::Outside(caller)) = control(&keys.trust(), &token) else {
        panic!("not accepted");
    };
    assert_eq!((caller.email, caller.service_account), (None, None));
    assert_eq!(caller.principal.subject, "owner");
}

#[test]
fn an_access_token_ends() {
    let keys = Keys::new();
    let token = keys.access(AccessToken::of_owner().with_lifetime(Duration::from_secs(10)));
    let audiences = [CONTROL.to_owned()].into();
    // A minute is for clocks that differ.
    for (seconds, is_good) in [(0, true), (69, true), (70, false)] {
        let caller = keys
            .trust()
            .judge_control_plane(&token, &audiences, at(NOW + seconds));
        assert_eq!(caller.is_ok(), is_good, "{seconds}");
    }
}
