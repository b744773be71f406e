use host_tokens::{
    Algorithm, IdToken, IssuerConfig, SigningAlgorithm, SigningKey, jwks_document, mint,
};
use rustls::pki_types::CertificateDer;

use super::*;
use crate::identity::KeyTls;

const AUDIENCE: &str = "https://host.example/f";

fn url() -> IssuerUrl {
    "https://issuer.example".parse().unwrap()
}

/// The issuer, whose keys come over this authority. None of the tests waits for them.
fn issuer(authority: &[u8]) -> OutsideIssuer {
    let tls = KeyTls {
        config: host_sandbox::outbound::authorities::client_config(&[]).unwrap(),
        authorities: vec![CertificateDer::from(authority.to_vec())],
    };
    OutsideIssuer {
        config: IssuerConfig::new(url(), [Algorithm::EdDsa]).into(),
        keys: KeySource::new(url(), None, None, tls),
    }
}

/// A board that trusts the issuer, with its key.
struct Kept {
    board: Arc<TrustBoard>,
    key: SigningKey,
}

impl Kept {
    fn new() -> Self {
        let kept = Self {
            board: Arc::new(TrustBoard::new(1)),
            key: SigningKey::generate(SigningAlgorithm::EdDsa).unwrap(),
        };
        kept.board.set_outside(&[issuer(b"one")]).unwrap();
        let document = jwks_document([kept.key.public()]).to_string();
        kept.hear(Refreshed::Fetched(
            KeySet::read(document.as_bytes()).unwrap(),
        ));
        kept
    }

    /// Has the task that refreshes the issuer's keys say this.
    fn hear(&self, news: Refreshed<KeySet, FetchError>) {
        let number = self.board.lock().outside[&url()].number;
        self.board.take_keys(&url(), number, news);
    }

    /// What a worker makes of a good token.
    fn verdict(&self) -> &'static str {
        let token = IdToken::new("ada", AUDIENCE);
        let now = SystemTime::now();
        let token = mint(&url(), &self.key, &token, now).unwrap();
        let trust = self.board.of_worker(0).trust.current();
        let verdict = trust.judge(&token, &[AUDIENCE.to_owned()].into(), now);
        verdict.map_or_else(|rejected| rejected.rejection.code(), |_| "good")
    }
}

#[tokio::test]
async fn keys_are_kept_through_an_outage_and_given_up_when_they_are_too_old() {
    let kept = Kept::new();
    assert_eq!(kept.verdict(), "good");
    kept.hear(Refreshed::Failed(FetchError::Slow(url())));
    assert_eq!(kept.verdict(), "good");
    kept.hear(Refreshed::Stale(FetchError::Slow(url())));
    assert_eq!(kept.verdict(), "no_keys");
    let account = &kept.board.key_accounts()[0];
    assert_eq!((account.successes, account.failures), (1, 2));
}

#[tokio::test]
async fn keys_that_were_withdrawn_are_gone_though_nothing_takes_their_place() {
    let kept = Kept::new();
    let other = SigningKey::generate(SigningAlgorithm::EdDsa).unwrap();
    let good = jwks_document([kept.key.public()]).to_string();
    for (document, verdict) in [
        (r#"{"keys": []}"#.to_owned(), "no_keys"),
        (good.clone(), "good"),
        (
            r#"{"keys": [{"kty": "AKP", "alg": "ML-DSA-44", "kid": "new"}]}"#.to_owned(),
            "no_keys",
        ),
        (jwks_document([other.public()]).to_string(), "unknown_key"),
        (good, "good"),
    ] {
        kept.hear(Refreshed::Fetched(
            KeySet::read(document.as_bytes()).unwrap(),
        ));
        assert_eq!(kept.verdict(), verdict, "{document}");
        kept.hear(Refreshed::Failed(FetchError::Slow(url())));
        assert_eq!(
            kept.verdict(),
            verdict,
            "an outage changes nothing: {document}"
        );
    }
}

#[tokio::test]
async fn a_refresh_that_was_replaced_is_not_listened_to() {
    let kept = Kept::new();
    let before = kept.board.lock().outside[&url()].number;
    kept.board.set_outside(&[issuer(b"one")]).unwrap();
    let stale = Refreshed::Stale(FetchError::Slow(url()));
    kept.board.take_keys(&url(), before, stale);
    assert_eq!(kept.verdict(), "good");
}

#[tokio::test]
async fn keys_do_not_outlast_the_authority_that_they_came_over() {
    let kept = Kept::new();
    kept.board.set_outside(&[issuer(b"one")]).unwrap();
    assert_eq!(kept.verdict(), "good", "nothing has changed");
    kept.board.set_outside(&[issuer(b"another")]).unwrap();
    assert_eq!(kept.verdict(), "no_keys");
}

#[tokio::test]
async fn keys_that_are_left_out_are_counted() {
    let kept = Kept::new();
    let mut document = jwks_document([kept.key.public()]);
    let keys = document["keys"].as_array_mut().unwrap();
    keys.push(serde_json::json!({"kty": "AKP", "alg": "ML-DSA-44", "kid": "new"}));
    keys.push(serde_json::json!({"kty": "oct", "k": "c2VjcmV0"}));
    let document = document.to_string();
    kept.hear(Refreshed::Fetched(
        KeySet::read(document.as_bytes()).unwrap(),
    ));
    assert_eq!(kept.verdict(), "good");
    assert_eq!(kept.board.key_accounts()[0].left_out, 2);
}
