//! Who calls the control plane, who is refused with which words, and what is exchanged.

use host_tokens::{
    Algorithm, Fetched, IdToken, IssuerConfig, IssuerUrl, KeyRefresh, KeyRequest, KeySet,
    Revocation, RevokedKind, SigningAlgorithm, SigningKey, TrustedIssuer, jwks_document, mint,
};
use tempfile::TempDir;

use super::*;
use crate::identity::{OWN, TokenRequest, own_key_set, own_revocations};
use crate::serve::trust::board::OwnDocuments;

const ACCOUNT: &str = "caller@host.internal";
const SUBJECT: &str = "100000000000000000001";
const OUTSIDE: &str = "https://outside.example";
const CONTROL: &str = "https://control.example";
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A host with one account, beside an outside issuer, and its control plane.
struct Scratch {
    _directory: TempDir,
    store: Arc<Store>,
    issuer: OwnIssuer,
    outside: SigningKey,
    board: TrustBoard,
    callers: ControlCallers,
}

impl Scratch {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(directory.path()).unwrap());
        store.create_service_account(ACCOUNT, SUBJECT, "").unwrap();
        let issuer = OwnIssuer {
            url: "http://127.0.0.1:8081".parse().unwrap(),
            algorithm: SigningAlgorithm::EdDsa,
        };
        issuer.keep_keys(&store, SystemTime::now()).unwrap();
        let board = TrustBoard::new(1);
        let callers = ControlCallers::new(&board, SteadyClock::start(), [CONTROL.to_owned()]);
        let scratch = Self {
            _directory: directory,
            store,
            issuer,
            outside: SigningKey::generate(SigningAlgorithm::EdDsa).unwrap(),
            board,
            callers,
        };
        scratch.publish(1, Some(&scratch.outside), None);
        scratch
    }

    fn own(&self) -> TrustedIssuer {
        let keys = own_key_set(&self.store.signing_keys().unwrap()).unwrap();
        let config = self.issuer.config(self.store.service_accounts().unwrap());
        TrustedIssuer::new(config).with_keys(keys.map(Arc::new))
    }

    fn revoked(&self) -> Vec<Revocation> {
        own_revocations(self.store.revocations().unwrap(), &self.issuer.url)
    }

    /// Trusts the host's own issuer and the outside one, with this key if there is one.
    fn publish(&self, generation: u64, key: Option<&SigningKey>, request: Option<&KeyRequest>) {
        let keys = key.map(|key| {
            let document = jwks_document([key.public()]).to_string();
            Arc::new(KeySet::read(document.as_bytes()).unwrap())
        });
        let config = IssuerConfig::new(outside(), [Algorithm::EdDsa]);
        let mut outside = TrustedIssuer::new(config).with_keys(keys);
        outside.request = request.cloned();
        let trust = Trust::new(generation, vec![self.own(), outside], self.revoked()).unwrap();
        self.callers.trust.replace(Arc::new(trust));
    }

    fn access(&self, holder: AccessTokenHolder<'_>) -> String {
        let made = self
            .issuer
            .access_token(&self.store, holder, HOUR, SystemTime::now());
        made.unwrap().token
    }

    fn own_id(&self, audience: &str) -> String {
        let request = TokenRequest {
            account: ACCOUNT,
            audience,
            with_email: true,
            lifetime: HOUR,
        };
        let token = self.issuer.token(&self.store, request, SystemTime::now());
        token.unwrap()
    }

    fn outside_id(&self, audience: &str) -> String {
        signed(OUTSIDE, &self.outside, audience, SystemTime::now())
    }

    async fn judge(&self, token: &str) -> Result<ControlCaller, ControlReason> {
        let caller = self.callers.judge(token, Duration::ZERO).await;
        caller.map_err(|refusal| {
            assert!(!refusal.why.contains(token) || token.is_empty());
            refusal.reason
        })
    }

    async fn exchange(&self, subject_token: &str) -> Result<ExchangeAnswer, ExchangeError> {
        let request = ExchangeRequest {
            subject_token: subject_token.to_owned(),
        };
        let own = (&self.issuer, &self.store);
        self.callers.exchange(&request, own, Duration::ZERO).await
    }
}

fn outside() -> IssuerUrl {
    OUTSIDE.parse().unwrap()
}

/// A token of `ada`, good for ten minutes.
fn signed(issuer: &str, key: &SigningKey, audience: &str, now: SystemTime) -> String {
    let token = IdToken::new("ada", audience).with_lifetime(HOUR / 6);
    mint(&issuer.parse().unwrap(), key, &token, now).unwrap()
}

#[tokio::test]
async fn callers_are_told_apart() {
    let scratch = Scratch::new();
    let owner = scratch.access(AccessTokenHolder::Owner);
    assert_eq!(scratch.judge(&owner).await, Ok(ControlCaller::Owner));
    let account = scratch.access(AccessTokenHolder::ServiceAccount(ACCOUNT));
    let expected = ControlCaller::ServiceAccount {
        email: ACCOUNT.parse().unwrap(),
        subject: SUBJECT.to_owned(),
    };
    assert_eq!(scratch.judge(&account).await, Ok(expected));
    let token = scratch.outside_id(CONTROL);
    let Ok(ControlCaller::Outside(caller)) = scratch.judge(&token).await else {
        panic!("not accepted");
    };
    assert_eq!(
        caller.principal.to_string(),
        "principal:https://outside.example#ada"
    );
}

#[tokio::test]
async fn callers_are_refused_with_words_that_help_them_and_no_forger() {
    let scratch = Scratch::new();
    let stranger = SigningKey::generate(SigningAlgorithm::EdDsa).unwrap();
    let now = SystemTime::now();
    // An address is no `IssuerUrl`, so no key here signs this one. Its issuer is looked at before its signature.
    let part = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    let header = part(r#"{"alg": "RS256", "kid": "k", "typ": "JWT"}"#);
    let claims = r#"{"iss": "deployer@host.internal", "sub": "deployer@host.internal"}"#;
    let self_signed = format!("{header}.{}.{}", part(claims), part("signature"));
    for (token, reason) in [
        (scratch.own_id(CONTROL), ControlReason::OwnIdToken),
        (
            scratch.own_id("http://127.0.0.1:8081#control-plane"),
            ControlReason::OwnIdToken,
        ),
        (self_signed, ControlReason::SelfSigned),
        (
            scratch.outside_id("https://own.example/f"),
            ControlReason::Refused,
        ),
        (
            signed(OUTSIDE, &stranger, CONTROL, now),
            ControlReason::Refused,
        ),
        (
            signed("https://unknown.example", &stranger, CONTROL, now),
            ControlReason::Refused,
        ),
        (
            signed(OUTSIDE, &scratch.outside, CONTROL, now - HOUR),
            ControlReason::Refused,
        ),
        (String::new(), ControlReason::Refused),
        ("ya29.none".to_owned(), ControlReason::Refused),
        ("x".repeat(1 << 20), ControlReason::Refused),
    ] {
        assert_eq!(scratch.judge(&token).await, Err(reason), "{token:.99}");
    }
    for reason in [ControlReason::OwnIdToken, ControlReason::SelfSigned] {
        let words = reason.to_string();
        assert!(words.ends_with("`host auth print-access-token`"), "{words}");
    }
    let counted = scratch.board.refused_tokens();
    assert_eq!(counted[&(Some(scratch.issuer.url.clone()), "id_token")], 2);
    assert_eq!(counted[&(Some(outside()), "audience")], 1);
}

#[tokio::test]
async fn what_is_revoked_in_the_store_opens_nothing() {
    let scratch = Scratch::new();
    let account = scratch.access(AccessTokenHolder::ServiceAccount(ACCOUNT));
    let exchanged = scratch
        .exchange(&scratch.outside_id(CONTROL))
        .await
        .unwrap();
    for (token, issuer, value) in [
        (&account, OWN, SUBJECT),
        (&exchanged.access_token, OUTSIDE, "ada"),
    ] {
        assert!(scratch.judge(token).await.is_ok());
        let revocation = Revocation {
            issuer: issuer.to_owned(),
            kind: RevokedKind::Subject,
            value: value.to_owned(),
        };
        scratch.store.revoke(&revocation).unwrap();
        let documents = OwnDocuments::default();
        let own = scratch
            .board
            .set_own(scratch.own(), documents, scratch.revoked());
        own.unwrap();
        scratch.publish(9, Some(&scratch.outside), None);
        assert_eq!(scratch.judge(token).await, Err(ControlReason::Refused));
    }
}

#[tokio::test]
async fn the_control_plane_hears_of_what_workers_hear() {
    let scratch = Scratch::new();
    let owner = scratch.access(AccessTokenHolder::Owner);
    scratch.callers.trust.replace(Arc::default());
    assert_eq!(scratch.judge(&owner).await, Err(ControlReason::Refused));
    let documents = OwnDocuments::default();
    scratch
        .board
        .set_own(scratch.own(), documents, vec![])
        .unwrap();
    assert_eq!(scratch.judge(&owner).await, Ok(ControlCaller::Owner));
}

#[tokio::test(start_paused = true)]
async fn keys_that_are_on_their_way_are_waited_for_and_no_longer_than_that() {
    let scratch = Scratch::new();
    let (refresh, request) = KeyRefresh::new(HOUR);
    scratch.publish(2, None, Some(&request));
    let token = scratch.outside_id(CONTROL);
    let unavailable = Err(ControlReason::KeysUnavailable);
    assert_eq!(scratch.judge(&token).await, unavailable);
    let fetch = || async {
        Ok::<_, ()>(Fetched {
            value: (),
            good_for: HOUR,
        })
    };
    let publish = |_| scratch.publish(3, Some(&scratch.outside), None);
    let judged = scratch.callers.judge(&token, HOUR);
    let judged = tokio::select! {
        biased;
        judged = judged => judged,
        () = refresh.run(fetch, publish) => unreachable!("a refresh goes on for ever"),
    };
    assert!(matches!(judged, Ok(ControlCaller::Outside(_))));
}

#[tokio::test]
async fn an_outside_token_is_exchanged_for_one_that_ends_no_later() {
    let scratch = Scratch::new();
    let answer = scratch
        .exchange(&scratch.outside_id(CONTROL))
        .await
        .unwrap();
    // A second may pass in between.
    assert!((HOUR / 6 - Duration::from_secs(5)..=HOUR / 6).contains(&answer.lifetime));
    let Ok(ControlCaller::Outside(caller)) = scratch.judge(&answer.access_token).await else {
        panic!("not accepted");
    };
    assert_eq!(
        caller.principal.to_string(),
        "principal:https://outside.example#ada"
    );
}

#[tokio::test]
async fn what_is_no_token_of_an_outside_issuer_for_this_control_plane_is_not_exchanged() {
    let scratch = Scratch::new();
    let exchanged = scratch
        .exchange(&scratch.outside_id(CONTROL))
        .await
        .unwrap();
    let late = SystemTime::now() - HOUR / 6 - Duration::from_secs(30);
    for token in [
        scratch.outside_id("//iam.googleapis.com/projects/1/locations/global"),
        scratch.own_id(CONTROL),
        scratch.access(AccessTokenHolder::Owner),
        scratch.access(AccessTokenHolder::ServiceAccount(ACCOUNT)),
        exchanged.access_token,
        // Good within the leeway, but nothing is left to give.
        signed(OUTSIDE, &scratch.outside, CONTROL, late),
        "github.oidc.jwt".to_owned(),
    ] {
        let error = scratch.exchange(&token).await.unwrap_err();
        assert_eq!(error.code, ExchangeErrorCode::InvalidGrant, "{error}");
        let is_plain = |byte: u8| (0x20..0x7f).contains(&byte) && !b"\"\\".contains(&byte);
        assert!(error.description.bytes().all(is_plain), "{error}");
    }
    scratch.publish(2, None, None);
    let error = scratch
        .exchange(&scratch.outside_id(CONTROL))
        .await
        .unwrap_err();
    assert_eq!(error.code, ExchangeErrorCode::TemporarilyUnavailable);
}
