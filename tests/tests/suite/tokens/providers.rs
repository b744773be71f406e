//! Tokens as the providers make them that many use, let in and kept out by a host that is configured for each.

use serde_json::{Value, json};
use tests::{
    AUDIENCE, Answers, BAD_TOKEN, Certificate, Host, Issuer, Key, Kind, Signal, State, TlsFront,
    assert_refused, guest, wait_until,
};

const TENANT: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
const CLUSTER: &str = "https://kubernetes.default.svc.cluster.local";
const POOL: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_x";

/// A provider: what stands below `[issuers.it]`, the issuer of its tokens, what a good one claims beside the usual, and
/// what makes it none that is let in.
struct Provider {
    settings: String,
    issuer: String,
    good: Value,
    /// Each with the guard that refuses it, by its name in the log.
    bad: Vec<(Value, &'static str)>,
}

fn provider(settings: &str, issuer: &str, good: Value, bad: &[(Value, &'static str)]) -> Provider {
    Provider {
        settings: settings.to_owned(),
        issuer: issuer.to_owned(),
        good,
        bad: bad.to_vec(),
    }
}

/// Serves a function that `ada` of the provider may call. What it prints of itself is on the way to `state`.
fn serve(state: &State, settings: &str, issuer: &str) -> Host {
    let config = state.beside().join("host.toml");
    let text = format!(
        "[issuers.it]\n{settings}\n\n[functions.f]\nsource = {:?}\naudiences = [\"{AUDIENCE}\"]\n\
         invokers = [\"principal:{issuer}#ada\"]\n",
        guest("echoes")
    );
    std::fs::write(&config, text).expect("the directory is ours");
    let host = state.serve().arg("--config").arg(config).start();
    let series = format!("host_issuer_fetches_total{{issuer=\"{issuer}\",result=\"success\"}}");
    wait_until("the keys are there", || {
        let metrics = host.metrics();
        metrics.has(&series) && metrics.value(&series) > 0.0
    });
    host
}

fn claims(keys: &Issuer, issuer: &str, changes: &Value) -> Value {
    let mut claims = keys.claims("ada", AUDIENCE);
    claims["iss"] = issuer.into();
    for (name, value) in changes.as_object().into_iter().flatten() {
        claims[name] = value.clone();
    }
    claims
}

#[test]
fn each_provider_is_trusted_with_its_kind_of_token_and_no_other() {
    let keys = Issuer::start();
    let key = Key::new("rsa", Kind::Rs256);
    keys.publish(&[&key]);
    let realm = "https://id.example/realms/r";
    let entra = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    for Provider {
        settings,
        issuer,
        good,
        bad,
    } in [
        provider(
            "provider = \"google\"",
            "https://accounts.google.com",
            json!({"azp": "client", "email": "ada@example.com", "email_verified": true}),
            &[
                (
                    json!({"iss": "https://accounts.google.com/"}),
                    "unknown_issuer",
                ),
                (json!({"aud": "client"}), "audience"),
            ],
        ),
        provider(
            "provider = \"google\"",
            "https://accounts.google.com",
            json!({"iss": "accounts.google.com"}),
            &[(
                json!({"iss": "http://accounts.google.com"}),
                "unknown_issuer",
            )],
        ),
        provider(
            "provider = \"github-actions\"\nrequire = { repository_id = \"1296269\" }",
            "https://token.actions.githubusercontent.com",
            json!({"repository_id": "1296269", "repository": "a/b"}),
            &[
                (json!({"repository_id": "7", "repository": "a/b"}), "claim"),
                (json!({"repository": "a/b"}), "claim"),
            ],
        ),
        provider(
            &format!("provider = \"kubernetes\"\nurl = \"{CLUSTER}\""),
            CLUSTER,
            json!({"aud": [AUDIENCE], "kubernetes.io": {"namespace": "default"}}),
            &[(json!({"aud": [CLUSTER]}), "audience")],
        ),
        provider(
            &format!("provider = \"keycloak\"\nurl = \"{realm}\""),
            realm,
            json!({"typ": "ID"}),
            &[
                (json!({"typ": "Bearer"}), "claim"),
                (json!({"typ": "Refresh"}), "claim"),
                (json!({}), "claim"),
            ],
        ),
        provider(
            &format!("provider = \"entra\"\ntenant = \"{TENANT}\""),
            &entra,
            json!({"tid": TENANT, "ver": "2.0"}),
            &[
                (
                    json!({"tid": "00000000-0000-0000-0000-000000000000"}),
                    "claim",
                ),
                (json!({}), "claim"),
                (
                    json!({"tid": TENANT, "iss": format!("https://sts.windows.net/{TENANT}/")}),
                    "unknown_issuer",
                ),
            ],
        ),
        provider(
            "provider = \"auth0\"\nurl = \"https://t.auth0.com\"",
            "https://t.auth0.com/",
            json!({}),
            &[(json!({"iss": "https://t.auth0.com"}), "unknown_issuer")],
        ),
        provider(
            &format!("provider = \"cognito\"\nurl = \"{POOL}\""),
            POOL,
            json!({"token_use": "id"}),
            &[
                (json!({"token_use": "access"}), "claim"),
                (json!({}), "claim"),
            ],
        ),
        provider(
            "provider = \"dex\"\nurl = \"https://dex.example/dex\"",
            "https://dex.example/dex",
            json!({"at_hash": "x"}),
            &[(json!({"iss": "https://dex.example"}), "unknown_issuer")],
        ),
    ] {
        let state = State::new();
        let settings = format!("{settings}\nkeys-url = \"{}/keys\"", keys.url());
        let host = serve(&state, &settings, &issuer);
        let sign = |changes: &Value| key.sign(&claims(&keys, &issuer, changes));
        let reply = host.get_with("/f", &sign(&good));
        assert_eq!(reply.status, 200, "{settings}: {reply:?}");
        for (bad, guard) in bad {
            let reply = host.get_with("/f", &sign(&bad));
            assert_refused(&reply, 401, BAD_TOKEN);
            let entry = host.wait_for_log(|line| line.contains(reply.execution_id()));
            assert!(entry.contains(&format!("({guard})")), "{bad}: {entry}");
        }
    }
    assert_eq!(keys.discoveries(), 0, "where the keys are was said");
}

#[test]
fn a_clusters_keys_come_over_its_own_authority_for_a_bearer_that_is_read_each_time() {
    let keys = Issuer::start();
    let certificate = Certificate::new();
    let front = TlsFront::start(&certificate, keys.url().trim_start_matches("http://"));
    let state = State::new();
    let (ca, _) = certificate.write_to(state.beside());
    let bearer = state.file("bearer", "first\n");
    let settings = format!(
        "provider = \"kubernetes\"\nurl = \"{CLUSTER}\"\nkeys-url = \"{}\"\nca-file = {ca:?}\nbearer-file = {bearer:?}",
        front.url("/keys")
    );
    let host = serve(&state, &settings, CLUSTER);
    let token = |key: &Key| key.sign(&claims(&keys, CLUSTER, &json!({})));
    assert_eq!(host.get_with("/f", &token(keys.key())).status, 200);
    let next = Key::new("next", Kind::Es256);
    keys.publish(&[&next]);
    state.file("bearer", "second\n");
    // The file with the configuration is as it was: it is read again for the sake of a fetch.
    host.signal(Signal::Hup);
    wait_until("the new key is known", || {
        host.get_with("/f", &token(&next)).status == 200
    });
    let bearers: Vec<_> = front
        .heads()
        .iter()
        .flat_map(|head| {
            head.lines()
                .map(str::to_ascii_lowercase)
                .collect::<Vec<_>>()
        })
        .filter(|line| line.starts_with("authorization:"))
        .collect();
    let sent = ["first", "second"].map(|bearer| format!("authorization: bearer {bearer}"));
    assert_eq!(bearers, sent);
}

#[test]
fn another_authority_does_not_inherit_the_keys_of_the_last() {
    let keys = Issuer::start();
    let certificate = Certificate::new();
    let front = TlsFront::start(&certificate, keys.url().trim_start_matches("http://"));
    let state = State::new();
    let (ca, _) = certificate.write_to(state.beside());
    let settings = format!(
        "provider = \"kubernetes\"\nurl = \"{CLUSTER}\"\nkeys-url = \"{}\"\nca-file = {ca:?}",
        front.url("/keys")
    );
    let host = serve(&state, &settings, CLUSTER);
    let token = keys.key().sign(&claims(&keys, CLUSTER, &json!({})));
    assert_eq!(host.get_with("/f", &token).status, 200);
    // It vouches for nothing that the last one had vouched for.
    Certificate::new().write_to(state.beside());
    host.signal(Signal::Hup);
    wait_until("the keys are given up", || {
        host.get_with("/f", &token).status == 503
    });
}

#[test]
fn an_authority_that_is_not_named_is_not_trusted() {
    let keys = Issuer::start();
    let front = TlsFront::start(
        &Certificate::new(),
        keys.url().trim_start_matches("http://"),
    );
    let host = Host::serve_private(&[&keys])
        .arg(format!("--issuer={}", front.url("")))
        .start();
    host.wait_for_keys_of(&keys);
    let series = format!(
        "host_issuer_fetches_total{{issuer=\"{}\",result=\"failure\"}}",
        front.url("")
    );
    wait_until("it has tried", || host.metric(&series) > 0.0);
    assert!(front.heads().is_empty());
}

#[test]
fn a_bearer_does_not_go_where_a_document_leads() {
    let (keys, stranger) = (Issuer::start(), Issuer::start());
    let certificate = Certificate::new();
    let behind = |issuer: &Issuer| issuer.url().trim_start_matches("http://").to_owned();
    let front = TlsFront::start(&certificate, &behind(&keys));
    let other = TlsFront::start(&certificate, &behind(&stranger));
    keys.answer(Answers::AsOtherWithKeysAt(
        front.url(""),
        other.url("/keys"),
    ));
    let state = State::new();
    let (ca, _) = certificate.write_to(state.beside());
    let bearer = state.file("bearer", "s3cret\n");
    let config = state.beside().join("host.toml");
    let text = format!(
        "[issuers.it]\nurl = \"{}\"\nca-file = {ca:?}\nbearer-file = {bearer:?}\n",
        front.url("")
    );
    std::fs::write(&config, text).expect("the directory is ours");
    let host = state.serve().arg("--config").arg(config).start();
    let series = format!(
        "host_issuer_fetches_total{{issuer=\"{}\",result=\"failure\"}}",
        front.url("")
    );
    wait_until("it has tried", || {
        let metrics = host.metrics();
        metrics.has(&series) && metrics.value(&series) > 0.0
    });
    assert!(!front.heads().is_empty());
    assert!(front.heads().iter().all(|head| head.contains("s3cret")));
    assert!(other.heads().is_empty(), "{:?}", other.heads());
}
