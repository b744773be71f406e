//! What the host's own tokens are like, and what only looks like one.

use std::sync::Arc;

use super::*;
use crate::issuer::config::{IssuerConfig, ServiceAccounts};
use crate::judge::refusal::Refusal;
use crate::judge::verified::Verified;
use crate::keys::key_set::KeySet;
use crate::shown::Shown;
use crate::tests::forge::{AUDIENCE, ISSUER, NOW, at, verifier};

const SUBJECT: &str = "100000000000000000001";
const ADDRESS: &str = "caller@host.internal";

const ALL: [SigningAlgorithm; 3] = [
    SigningAlgorithm::Rs256,
    SigningAlgorithm::Es256,
    SigningAlgorithm::EdDsa,
];

fn issuer() -> IssuerUrl {
    ISSUER.parse().unwrap()
}

fn wanted() -> IdToken<'static> {
    IdToken::new(SUBJECT, AUDIENCE).with_email(ADDRESS)
}

fn key(algorithm: SigningAlgorithm) -> SigningKey {
    SigningKey::generate(algorithm).unwrap()
}

fn published(keys: &[&SigningKey]) -> KeySet {
    let document = jwks_document(keys.iter().map(|key| key.public())).to_string();
    KeySet::read(document.as_bytes()).unwrap()
}

fn config(accounts: &[(&str, &str)]) -> IssuerConfig {
    let algorithms = ALL.map(SigningAlgorithm::algorithm);
    let mut config = IssuerConfig::new(issuer(), algorithms);
    let owned = accounts
        .iter()
        .map(|(sub, address)| ((*sub).to_owned(), (*address).to_owned()));
    config.service_accounts = Some(Arc::new(owned.collect::<ServiceAccounts>()));
    config
}

fn judge(token: &str, keys: &KeySet) -> Result<Verified, Refusal> {
    verifier(config(&[(SUBJECT, ADDRESS)])).verify(token, keys, at(NOW))
}

fn part(token: &str, place: usize) -> Value {
    let text = token.split('.').nth(place).unwrap();
    serde_json::from_slice(&base64url::decode(text).unwrap()).unwrap()
}

#[test]
fn a_token_of_the_hosts_own_issuer_is_accepted_for_its_account() {
    for algorithm in ALL {
        let key = key(algorithm);
        let token = mint(&issuer(), &key, &wanted(), at(NOW)).unwrap();
        let verified = judge(&token, &published(&[&key])).unwrap();
        assert_eq!(verified.service_account.as_deref(), Some(ADDRESS));
        assert_eq!(verified.email.as_deref(), Some(ADDRESS));
        assert_eq!(verified.principal.subject, SUBJECT);
    }
}

#[test]
fn a_token_says_what_googles_say_and_its_own_name() {
    let key = key(SigningAlgorithm::Es256);
    let token = mint(&issuer(), &key, &wanted(), at(NOW)).unwrap();
    let header = json!({"alg": "ES256", "kid": key.public().id(), "typ": "JWT"});
    assert_eq!(part(&token, 0), header);
    let claims = json!({
        "iss": ISSUER,
        "aud": AUDIENCE,
        "azp": SUBJECT,
        "sub": SUBJECT,
        "email": ADDRESS,
        "email_verified": true,
        "iat": NOW,
        "exp": NOW + 3600,
    });
    let mut said = part(&token, 1);
    let name = said.as_object_mut().and_then(|said| said.remove("jti"));
    assert_eq!(said, claims);
    let again = mint(&issuer(), &key, &wanted(), at(NOW)).unwrap();
    assert!(name.is_some_and(|name| name.is_string() && name != part(&again, 1)["jti"]));
}

#[test]
fn a_token_tells_the_address_only_if_asked_and_is_good_without() {
    let key = key(SigningAlgorithm::EdDsa);
    let bare = IdToken::new(SUBJECT, AUDIENCE);
    let token = mint(&issuer(), &key, &bare, at(NOW)).unwrap();
    assert!(part(&token, 1).get("email").is_none());
    assert!(part(&token, 1).get("email_verified").is_none());
    let verified = judge(&token, &published(&[&key])).unwrap();
    assert_eq!(verified.service_account.as_deref(), Some(ADDRESS));
}

#[test]
fn a_token_is_good_for_an_hour_at_most_and_for_somebody() {
    let key = key(SigningAlgorithm::EdDsa);
    let minted = |lifetime, audience| {
        let token = IdToken::new(SUBJECT, audience).with_lifetime(lifetime);
        mint(&issuer(), &key, &token, at(NOW))
    };
    assert!(minted(Duration::from_secs(1), AUDIENCE).is_ok());
    for lifetime in [
        Duration::ZERO,
        Duration::from_millis(999),
        Duration::from_secs(3601),
    ] {
        assert_eq!(
            minted(lifetime, AUDIENCE),
            Err(MintError::Lifetime(lifetime))
        );
    }
    assert_eq!(minted(LONGEST_LIFETIME, ""), Err(MintError::Audience));
}

#[test]
fn a_token_that_names_our_issuer_but_is_signed_by_another_is_refused() {
    let (own, stranger) = (key(SigningAlgorithm::Es256), key(SigningAlgorithm::Es256));
    let token = mint(&issuer(), &stranger, &wanted(), at(NOW)).unwrap();
    let refusal = judge(&token, &published(&[&own])).unwrap_err();
    assert_eq!(
        refusal,
        Refusal::UnknownKey(Shown::text(stranger.public().id()))
    );
    // Also if it takes the name of our key.
    let payload = token.split('.').nth(1).unwrap();
    let header = json!({"alg": "ES256", "kid": own.public().id()}).to_string();
    let signed = format!("{}.{payload}", base64url::encode(header));
    let signature = base64url::encode(stranger.sign(signed.as_bytes()).unwrap());
    let refusal = judge(&format!("{signed}.{signature}"), &published(&[&own])).unwrap_err();
    assert_eq!(refusal, Refusal::Signature);
}

#[test]
fn a_token_of_an_account_that_was_deleted_or_created_again_is_refused() {
    let key = key(SigningAlgorithm::Es256);
    let token = mint(&issuer(), &key, &wanted(), at(NOW)).unwrap();
    for accounts in [vec![], vec![("100000000000000000002", ADDRESS)]] {
        let verifier = verifier(config(&accounts));
        let refusal = verifier
            .verify(&token, &published(&[&key]), at(NOW))
            .unwrap_err();
        assert_eq!(refusal, Refusal::UnknownAccount(Shown::text(SUBJECT)));
    }
    let renamed = verifier(config(&[(SUBJECT, "other@host.internal")]));
    let refusal = renamed
        .verify(&token, &published(&[&key]), at(NOW))
        .unwrap_err();
    assert!(
        matches!(refusal, Refusal::AccountAddress { .. }),
        "{refusal}"
    );
}

#[test]
fn tokens_of_every_published_key_are_good_and_of_a_withdrawn_one_no_longer() {
    let keys = ALL.map(key);
    let all = published(&[&keys[0], &keys[1], &keys[2]]);
    for key in &keys {
        let token = mint(&issuer(), key, &wanted(), at(NOW)).unwrap();
        assert!(judge(&token, &all).is_ok());
    }
    let token = mint(&issuer(), &keys[0], &wanted(), at(NOW)).unwrap();
    let refusal = judge(&token, &published(&[&keys[1], &keys[2]])).unwrap_err();
    assert!(matches!(refusal, Refusal::UnknownKey(_)), "{refusal}");
}

#[test]
fn a_key_set_has_public_keys_only() {
    let document = jwks_document(ALL.map(key).iter().map(SigningKey::public));
    for jwk in document["keys"].as_array().unwrap() {
        for member in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert!(jwk.get(member).is_none(), "{member}");
        }
        assert_eq!(jwk["use"], "sig");
        assert!(jwk["kid"].is_string() && jwk["alg"].is_string());
    }
}

#[test]
fn the_discovery_document_names_the_issuer_and_where_its_keys_are() {
    let document = discovery_document(&issuer(), &[SigningAlgorithm::Rs256]);
    assert_eq!(document["issuer"], ISSUER);
    assert_eq!(
        document["jwks_uri"],
        "https://issuer.example/.well-known/jwks.json"
    );
    assert_eq!(
        document["id_token_signing_alg_values_supported"],
        json!(["RS256"])
    );
    assert_eq!(document["subject_types_supported"], json!(["public"]));
    assert_eq!(document["response_types_supported"], json!(["id_token"]));
    let slash: IssuerUrl = "https://issuer.example/".parse().unwrap();
    let document = discovery_document(&slash, &[]);
    assert_eq!(document["issuer"], "https://issuer.example/");
    assert_eq!(
        document["jwks_uri"],
        "https://issuer.example/.well-known/jwks.json"
    );
}

#[test]
fn the_subject_of_an_account_has_21_digits_and_no_leading_zero() {
    let lowest = 10_u128.pow(20);
    for (number, subject) in [
        (0, "100000000000000000000"),
        (9 * lowest - 1, "999999999999999999999"),
        (9 * lowest, "100000000000000000000"),
    ] {
        assert_eq!(AccountSubject::from_random(number).as_str(), subject);
    }
    assert_eq!(AccountSubject::from_random(u128::MAX).as_str().len(), 21);
}
