//! The traps of each provider.

mod urls;

use serde_json::{Value, json};

use super::*;
use crate::issuer::config::TokenKinds;
use crate::judge::refusal::Refusal;
use crate::judge::verified::Verified;
use crate::tests::forge::{self, changed, claims, signer};

const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const CIRCLECI: &str = "https://oidc.circleci.com/org/9188040d-6c67-4c5b-b112-36a304b66dad";
const AKS: &str =
    "https://westeurope.oic.prod-aks.azure.com/9188040d-6c67-4c5b-b112-36a304b66dad/1/";
const KEYCLOAK: &str = "https://id.example/realms/r";
const AUTH0: &str = "https://t.auth0.com/";
const COGNITO: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x";
const OKTA_DEFAULT: &str = "https://t.okta.com/oauth2/default";

fn with<'a>(issuer: Option<&'a str>, tenant: Option<&'a str>) -> PresetSettings<'a> {
    PresetSettings {
        issuer,
        tenant,
        access_tokens: false,
    }
}

fn access(settings: PresetSettings<'_>) -> PresetSettings<'_> {
    PresetSettings {
        access_tokens: true,
        ..settings
    }
}

/// The verdict on an RS256 token with good claims but for these.
fn judge(config: &IssuerConfig, changes: &Value) -> Result<Verified, Refusal> {
    let signer = signer(Algorithm::Rs256);
    let named = changed(claims(), &json!({"iss": config.issuer.as_str()}));
    let token = signer.token(&signer.header(), &changed(named, changes));
    forge::judge(config.clone(), &token)
}

fn refused_claim(config: &IssuerConfig, changes: &Value) -> String {
    match judge(config, changes).unwrap_err() {
        Refusal::Claim { claim, .. } => claim,
        other => panic!("{other}"),
    }
}

#[test]
fn every_preset_has_the_usual_bounds_and_accepts_a_good_token_of_its_kind() {
    for (preset, settings, changes) in [
        (Preset::Google, with(None, None), json!({})),
        (Preset::GithubActions, with(None, None), json!({})),
        (
            Preset::Kubernetes,
            with(Some("https://kubernetes.default.svc.cluster.local"), None),
            json!({}),
        ),
        (
            Preset::Keycloak,
            with(Some(KEYCLOAK), None),
            json!({"typ": "ID"}),
        ),
        (
            Preset::Entra,
            with(None, Some(TENANT)),
            json!({"tid": TENANT}),
        ),
        (Preset::Auth0, with(Some(AUTH0), None), json!({})),
        (
            Preset::Cognito,
            with(Some(COGNITO), None),
            json!({"token_use": "id"}),
        ),
        (Preset::Gitlab, with(None, None), json!({})),
        (Preset::Circleci, with(Some(CIRCLECI), None), json!({})),
        (Preset::Buildkite, with(None, None), json!({})),
        (Preset::Aks, with(Some(AKS), None), json!({})),
        (Preset::Okta, with(Some(OKTA_DEFAULT), None), json!({})),
        (
            Preset::Dex,
            with(Some("http://127.0.0.1:5556/dex"), None),
            json!({}),
        ),
        (
            Preset::Generic,
            with(Some("https://id.example"), None),
            json!({}),
        ),
    ] {
        let config = preset.issuer(settings).unwrap();
        assert!(judge(&config, &changes).is_ok(), "{preset}");
        assert_eq!(config.leeway, crate::DEFAULT_LEEWAY);
        assert_eq!(config.max_lifetime, crate::DEFAULT_MAX_LIFETIME);
        assert!(config.audiences.is_empty(), "{preset}");
        assert!(config.access_token_claims.is_empty() || config.kinds == TokenKinds::Id);
        assert!(config.service_accounts.is_none());
    }
}

#[test]
fn access_tokens_are_known_by_their_claims_where_their_type_says_nothing() {
    let entra = json!({"tid": TENANT});
    for (preset, settings, base, marks) in [
        (
            Preset::Entra,
            with(None, Some(TENANT)),
            &entra,
            json!([
                {"azp": "client", "azpacr": "1", "scp": "call", "oid": "o", "ver": "2.0"},
                {"azp": "client", "azpacr": "1", "roles": ["Call"], "ver": "2.0"},
                {"appid": "client", "appidacr": "1", "ver": "1.0"},
                {"idtyp": "app"},
            ]),
        ),
        (
            Preset::Auth0,
            with(Some(AUTH0), None),
            &json!({}),
            json!([
                {"azp": "client", "scope": "openid profile"},
                {"azp": "client", "gty": "client-credentials"},
                {"azp": "client", "permissions": []},
            ]),
        ),
        (
            Preset::Okta,
            with(Some(OKTA_DEFAULT), None),
            &json!({}),
            json!([{"cid": "client", "scp": ["call"]}, {"cid": "client"}, {"uid": "user"}]),
        ),
    ] {
        let only_id = preset.issuer(settings).unwrap();
        let both = preset.issuer(access(settings)).unwrap();
        assert!(judge(&only_id, base).is_ok(), "{preset}");
        for mark in marks.as_array().unwrap() {
            let claims = changed(base.clone(), mark);
            let refusal = judge(&only_id, &claims).unwrap_err();
            assert!(
                matches!(refusal, Refusal::AccessToken(_)),
                "{preset} {mark}"
            );
            assert!(judge(&both, &claims).is_ok(), "{preset} {mark}");
        }
    }
    let own = Preset::Okta.issuer(access(with(Some("https://t.okta.com"), None)));
    assert_eq!(own.unwrap_err(), PresetError::OktasOwn);
}

#[test]
fn a_firebase_project_is_the_audience_of_all_its_tokens() {
    let url = Some("https://securetoken.google.com/my-project");
    let firebase = Preset::Firebase.issuer(with(url, None)).unwrap();
    assert_eq!(firebase.audiences, ["my-project"]);
    assert!(judge(&firebase, &json!({"aud": "my-project"})).is_ok());
    let other = judge(&firebase, &json!({"aud": "other-project"}));
    assert!(matches!(other, Err(Refusal::Audience { .. })), "{other:?}");
    assert!(Preset::Firebase.keys_url().unwrap().contains("/x509/"));
    let error = Preset::Firebase
        .issuer(access(with(url, None)))
        .unwrap_err();
    assert_eq!(error, PresetError::AccessTokens(Preset::Firebase));
}

#[test]
fn googles_issuer_without_scheme_is_good_for_google_only() {
    let google = Preset::Google.issuer(with(None, None)).unwrap();
    let verified = judge(&google, &json!({"iss": "accounts.google.com"})).unwrap();
    assert_eq!(
        verified.principal.issuer.as_str(),
        "https://accounts.google.com"
    );
    for iss in [
        "accounts.google.com/",
        "http://accounts.google.com",
        "ACCOUNTS.google.com",
    ] {
        let refusal = judge(&google, &json!({"iss": iss})).unwrap_err();
        assert!(matches!(refusal, Refusal::Issuer { .. }), "{refusal}");
    }
    let generic = Preset::Generic
        .issuer(with(Some("https://accounts.example.com"), None))
        .unwrap();
    let refusal = judge(&generic, &json!({"iss": "accounts.example.com"})).unwrap_err();
    assert!(matches!(refusal, Refusal::Issuer { .. }), "{refusal}");
    assert_eq!(google.algorithms, [Algorithm::Rs256]);
    let other = Preset::Google.issuer(with(Some("https://accounts.google.com/"), None));
    assert!(matches!(other, Err(PresetError::OtherIssuer { .. })));
}

#[test]
fn keycloaks_other_tokens_are_refused() {
    let settings = with(Some(KEYCLOAK), None);
    let keycloak = Preset::Keycloak.issuer(settings).unwrap();
    for kind in ["Refresh", "Offline", "Bearer", "Logout", "id", ""] {
        assert_eq!(refused_claim(&keycloak, &json!({"typ": kind})), "typ");
    }
    assert_eq!(refused_claim(&keycloak, &json!({})), "typ");
    let both = Preset::Keycloak.issuer(access(settings)).unwrap();
    for kind in ["ID", "Bearer"] {
        assert!(judge(&both, &json!({"typ": kind})).is_ok());
    }
    assert_eq!(refused_claim(&both, &json!({"typ": "Refresh"})), "typ");
}

#[test]
fn cognitos_other_tokens_are_refused() {
    let settings = with(Some(COGNITO), None);
    let cognito = Preset::Cognito.issuer(settings).unwrap();
    for kind in [
        json!("access"),
        json!("refresh"),
        json!(null),
        json!(["access"]),
    ] {
        assert_eq!(
            refused_claim(&cognito, &json!({"token_use": kind})),
            "token_use"
        );
    }
    let refused = Preset::Cognito.issuer(access(settings));
    assert_eq!(
        refused.unwrap_err(),
        PresetError::AccessTokens(Preset::Cognito)
    );
}

#[test]
fn entras_other_tenants_are_refused_and_its_addresses_not_believed() {
    let entra = Preset::Entra.issuer(with(None, Some(TENANT))).unwrap();
    assert_eq!(
        entra.issuer.as_str(),
        "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"
    );
    for tid in [
        json!("72f988bf-86f1-41af-91ab-2d7cd011db47"),
        json!(null),
        json!(7),
    ] {
        assert_eq!(refused_claim(&entra, &json!({"tid": tid})), "tid");
    }
    let vouched = json!({"tid": TENANT, "email": "boss@example.com", "email_verified": true});
    assert_eq!(judge(&entra, &vouched).unwrap().email, None);
    for tenant in [
        "common",
        "organizations",
        "consumers",
        "",
        &TENANT.to_uppercase(),
        "../x",
    ] {
        let error = Preset::Entra.issuer(with(None, Some(tenant))).unwrap_err();
        assert_eq!(error, PresetError::Tenant(tenant.to_owned()));
    }
    // Version 1 of its access tokens comes from another issuer, in name only.
    let old = json!({"tid": TENANT, "iss": format!("https://sts.windows.net/{TENANT}/")});
    assert!(matches!(judge(&entra, &old), Err(Refusal::Issuer { .. })));
    let both = Preset::Entra
        .issuer(access(with(None, Some(TENANT))))
        .unwrap();
    assert!(judge(&both, &old).is_ok());
}

#[test]
fn jobs_and_clusters_vouch_for_no_address() {
    let cluster = Some("https://cluster.example");
    for (preset, url) in [
        (Preset::GithubActions, cluster),
        (Preset::Kubernetes, cluster),
        (Preset::Gitlab, cluster),
        (Preset::Circleci, Some(CIRCLECI)),
        (Preset::Buildkite, None),
        (Preset::Aks, Some(AKS)),
    ] {
        let config = preset.issuer(with(url, None)).unwrap();
        let vouched = json!({"email": "a@example.com", "email_verified": true});
        assert_eq!(judge(&config, &vouched).unwrap().email, None);
    }
}
