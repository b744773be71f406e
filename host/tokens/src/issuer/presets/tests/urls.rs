//! Names of presets, and the URLs of the issuers that each stands for.

use super::*;

#[test]
fn presets_are_read_by_their_names() {
    for preset in Preset::ALL {
        assert_eq!(preset.name().parse(), Ok(preset));
    }
    for text in ["Google", "", "octa"] {
        assert_eq!(
            text.parse::<Preset>(),
            Err(PresetError::Unknown(text.to_owned()))
        );
    }
}

#[test]
fn the_issuers_of_auth0_and_aks_get_their_slash() {
    for url in ["https://t.auth0.com", AUTH0] {
        let auth0 = Preset::Auth0.issuer(with(Some(url), None)).unwrap();
        assert_eq!(auth0.issuer.as_str(), AUTH0);
        let aks = Preset::Aks.issuer(with(Some(AKS.trim_end_matches('/')), None));
        assert_eq!(aks.unwrap().issuer.as_str(), AKS);
        let refusal = judge(&auth0, &json!({"iss": "https://t.auth0.com"})).unwrap_err();
        assert!(matches!(refusal, Refusal::Issuer { .. }), "{refusal}");
    }
}

#[test]
fn an_issuer_without_a_slash_is_not_taken_with_one() {
    for (preset, url) in [
        (Preset::Keycloak, "https://id.example/realms/r/"),
        (Preset::Keycloak, "https://id.example"),
        (
            Preset::Cognito,
            "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x/",
        ),
        (
            Preset::Entra,
            "https://login.microsoftonline.com/common/v2.0",
        ),
        (Preset::Gitlab, "https://gitlab.com/"),
        (Preset::Circleci, "https://oidc.circleci.com/org/my-org"),
        (
            Preset::Circleci,
            "https://oidc.circleci.com/org/9188040d-6c67-4c5b-b112-36a304b66dad/",
        ),
        (Preset::Buildkite, "https://agent.buildkite.com/"),
        (Preset::Okta, "https://t.okta.com/"),
        (Preset::Okta, "https://t.okta.com/oauth2/default/"),
        (Preset::Okta, "https://t.okta.com/oauth2"),
        (Preset::Firebase, "https://securetoken.google.com/"),
        (Preset::Firebase, "https://securetoken.google.com/p/"),
    ] {
        let error = preset.issuer(with(Some(url), Some(TENANT))).unwrap_err();
        assert!(matches!(error, PresetError::OtherIssuer { .. }), "{error}");
    }
}

#[test]
fn a_preset_that_needs_a_url_says_so_and_takes_only_a_secure_one() {
    for preset in [
        Preset::Circleci,
        Preset::Okta,
        Preset::Firebase,
        Preset::Aks,
        Preset::Kubernetes,
        Preset::Keycloak,
        Preset::Auth0,
        Preset::Cognito,
        Preset::Dex,
        Preset::Generic,
    ] {
        let error = preset.issuer(with(None, None)).unwrap_err();
        assert_eq!(error, PresetError::NoIssuer(preset));
        let url = "http://id.example/realms/r";
        let error = preset.issuer(with(Some(url), None)).unwrap_err();
        assert_eq!(error, PresetError::Insecure(url.to_owned()));
        let error = preset.issuer(with(Some("id.example"), None)).unwrap_err();
        assert!(matches!(error, PresetError::Issuer { .. }), "{error}");
    }
}

#[test]
fn a_provider_is_known_by_the_url_of_its_issuer() {
    use Preset::*;
    for (url, preset) in [
        ("https://accounts.google.com", Google),
        ("https://token.actions.githubusercontent.com", GithubActions),
        (
            "https://token.actions.githubusercontent.com/octo",
            GithubActions,
        ),
        ("https://login.microsoftonline.com/t/v2.0", Entra),
        ("https://sts.windows.net/t/", Entra),
        (AUTH0, Auth0),
        ("https://t.eu.AUTH0.com", Auth0),
        (COGNITO, Cognito),
        (
            "https://cognito-idp.cn-north-1.amazonaws.com.cn/cn-north-1_x",
            Cognito,
        ),
        ("https://kubernetes.default.svc.cluster.local", Kubernetes),
        ("https://kubernetes.default.svc", Kubernetes),
        ("https://oidc.eks.eu-west-1.amazonaws.com/id/X", Kubernetes),
        (KEYCLOAK, Keycloak),
        ("http://127.0.0.1:8180/auth/realms/r", Keycloak),
        ("https://gitlab.com", Gitlab),
        (CIRCLECI, Circleci),
        ("https://agent.buildkite.com", Buildkite),
        (AKS, Aks),
        ("https://oidc.prod-aks.azure.com/t/", Aks),
        (OKTA_DEFAULT, Okta),
        ("https://t.oktapreview.com", Okta),
        ("https://securetoken.google.com/p", Firebase),
        ("https://okta.com.example", Generic),
        ("https://gitlab.example", Generic),
        ("https://id.example", Generic),
        ("https://auth0.com.example/", Generic),
        ("https://notauth0.com", Generic),
        ("https://accounts.google.com.example", Generic),
        ("https://cognito-idp.amazonaws.com.example/x", Generic),
        ("https://realms.example/r", Generic),
    ] {
        assert_eq!(Preset::of_url(url), preset, "{url}");
    }
}

#[test]
fn entras_tenant_is_the_one_in_its_url_if_there_is_one() {
    let url = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let entra = Preset::Entra.issuer(with(Some(&url), None)).unwrap();
    assert_eq!(entra.issuer.as_str(), url);
    assert_eq!(refused_claim(&entra, &json!({})), "tid");
    let common = "https://login.microsoftonline.com/common/v2.0";
    let error = Preset::Entra.issuer(with(Some(common), None)).unwrap_err();
    assert_eq!(error, PresetError::Tenant("common".into()));
    let old = format!("https://sts.windows.net/{TENANT}/");
    let error = Preset::Entra.issuer(with(Some(&old), None)).unwrap_err();
    assert!(matches!(error, PresetError::OtherIssuer { .. }), "{error}");
}
