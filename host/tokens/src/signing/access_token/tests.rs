//! What access tokens say, and for whom none is made.

use super::*;
use crate::issuer::config::IssuerConfig;
use crate::signing::key::SigningAlgorithm;
use crate::tests::forge::{self, ISSUER, NOW, at};

const SUBJECT: &str = "100000000000000000001";
const OWN: &str = "https://own.example";

fn minted(token: &AccessToken<'_>) -> Result<String, MintError> {
    let key = SigningKey::generate(SigningAlgorithm::EdDsa).unwrap();
    mint_access_token(&OWN.parse().unwrap(), &key, token, at(NOW))
}

fn part(token: &str, place: usize) -> Value {
    let text = token.split('.').nth(place).unwrap();
    serde_json::from_slice(&base64url::decode(text).unwrap()).unwrap()
}

/// The claims of a token but for its name, which is never the same.
fn said(token: &AccessToken<'_>) -> Value {
    let mut said = part(&minted(token).unwrap(), 1);
    let name = said.as_object_mut().unwrap().remove("jti").unwrap();
    assert_ne!(name, part(&minted(token).unwrap(), 1)["jti"]);
    said
}

/// Good until ten minutes after [`NOW`].
fn outside_caller(changes: &Value) -> Verified {
    let config: IssuerConfig = forge::config();
    forge::judge(config, &forge::token(&forge::claims_with(changes))).unwrap()
}

#[test]
fn an_access_token_says_what_rfc_9068_asks_for() {
    let header = part(&minted(&AccessToken::of_owner()).unwrap(), 0);
    assert_eq!(
        (&header["typ"], &header["alg"]),
        (&json!("at+jwt"), &json!("EdDSA"))
    );
    let owner = json!({
        "iss": OWN, "aud": "https://own.example#control-plane", "sub": "owner", "client_id": "owner",
        "iat": NOW, "exp": NOW + 3600,
    });
    assert_eq!(said(&AccessToken::of_owner()), owner);
    let account = AccessToken::of_service_account(SUBJECT, "a@host.internal");
    let account = account.with_lifetime(Duration::from_secs(60));
    let expected = json!({
        "iss": OWN, "aud": "https://own.example#control-plane", "sub": SUBJECT, "client_id": SUBJECT,
        "email": "a@host.internal", "iat": NOW, "exp": NOW + 60,
    });
    assert_eq!(said(&account), expected);
}

#[test]
fn an_outside_principal_is_named_with_what_policies_and_revocations_look_at() {
    let changes =
        json!({"email": "ada@example.com", "email_verified": true, "jti": "t1", "groups": ["a"]});
    let said = said(&AccessToken::of_outside(&outside_caller(&changes)));
    let named = json!({
        "iss": ISSUER, "sub": "subject-1", "email": "ada@example.com", "jti": "t1", "kid": "ES256",
    });
    assert_eq!(
        (&said["sub"], &said["outside"]),
        (&json!("outside"), &named)
    );
    let unverified = outside_caller(&json!({"email": "ada@example.com"}));
    let said = self::said(&AccessToken::of_outside(&unverified));
    assert_eq!(said["outside"].get("email"), None);
}

#[test]
fn an_access_token_is_good_for_a_second_to_an_hour() {
    for (milliseconds, is_made) in [
        (999, false),
        (1000, true),
        (3_600_000, true),
        (3_600_001, false),
    ] {
        let lifetime = Duration::from_millis(milliseconds);
        let token = AccessToken::of_owner().with_lifetime(lifetime);
        let expected = if is_made {
            Ok(())
        } else {
            Err(MintError::Lifetime(lifetime))
        };
        assert_eq!(minted(&token).map(drop), expected);
    }
}

#[test]
fn an_access_token_ends_no_later_than_the_token_that_was_exchanged() {
    for (expiry, lifetime) in [
        (7200, Some(3600)),
        (600, Some(600)),
        (1, Some(1)),
        (0, None),
        (-30, None),
    ] {
        let caller = outside_caller(&json!({"iat": NOW - 100, "nbf": null, "exp": NOW + expiry}));
        let token = AccessToken::of_outside(&caller);
        let left = token.lifetime(at(NOW)).ok().map(|left| left.as_secs());
        assert_eq!(left, lifetime, "{expiry}");
        let made = minted(&token).map(|token| part(&token, 1)["exp"].as_i64().unwrap());
        let expected = lifetime.map(|lifetime| NOW + i64::try_from(lifetime).unwrap());
        assert_eq!(made.ok(), expected, "{expiry}");
    }
    let caller = outside_caller(&json!({}));
    let token = AccessToken::of_outside(&caller).with_lifetime(Duration::from_secs(5));
    assert_eq!(token.lifetime(at(NOW)), Ok(Duration::from_secs(5)));
}

#[test]
fn no_account_can_have_the_subject_of_the_owner_or_of_outside_principals() {
    for subject in ["", "owner", "outside", "1x", "-1"] {
        let token = AccessToken::of_service_account(subject, "a@host.internal");
        assert_eq!(minted(&token), Err(MintError::Subject), "{subject}");
    }
}

#[test]
fn nobody_of_the_own_issuer_is_an_outside_principal() {
    let mut own = outside_caller(&json!({}));
    own.principal.issuer = OWN.parse().unwrap();
    let mut account = outside_caller(&json!({}));
    account.service_account = Some("a@host.internal".parse().unwrap());
    for caller in [own, account] {
        assert_eq!(
            minted(&AccessToken::of_outside(&caller)),
            Err(MintError::NotOutside)
        );
    }
}

#[test]
fn what_names_an_outside_principal_is_bounded() {
    let length = |name: usize| {
        let caller = outside_caller(&json!({"jti": "x".repeat(name)}));
        minted(&AccessToken::of_outside(&caller)).map(drop)
    };
    let Err(MintError::LongOutside(bytes)) = length(LONGEST_OUTSIDE) else {
        panic!("not refused");
    };
    let most = LONGEST_OUTSIDE - (bytes - LONGEST_OUTSIDE);
    assert_eq!(length(most), Ok(()));
    assert_eq!(
        length(most + 1),
        Err(MintError::LongOutside(LONGEST_OUTSIDE + 1))
    );
}
