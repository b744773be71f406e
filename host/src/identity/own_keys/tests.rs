use std::sync::Arc;
use std::time::{Duration, SystemTime};

use host_tokens::{
    ANY_ISSUER, Phase, Rejection, Revocation, RevokedKind, RotationPolicy, SigningAlgorithm, Trust,
    TrustedIssuer, current_key,
};
use tempfile::TempDir;

use super::{MOST_PUBLISHED, OWN, OwnIssuer, OwnIssuerError, TokenRequest, key_times, own_key_set};
use crate::store::Store;

const AUDIENCE: &str = "https://a.example/f";
const ACCOUNT: &str = "caller@host.internal";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A store of a test's own, with one service account.
struct Scratch {
    _directory: TempDir,
    store: Store,
    issuer: OwnIssuer,
}

impl Scratch {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        store.create_service_account(ACCOUNT, "1", "").unwrap();
        let issuer = OwnIssuer {
            url: "http://127.0.0.1:8081".parse().unwrap(),
            algorithm: SigningAlgorithm::EdDsa,
        };
        Self {
            _directory: directory,
            store,
            issuer,
        }
    }

    fn token(&self, now: SystemTime) -> String {
        let request = TokenRequest {
            account: ACCOUNT,
            audience: AUDIENCE,
            with_email: true,
            lifetime: Duration::from_secs(3600),
        };
        self.issuer.token(&self.store, request, now).unwrap()
    }

    fn trust(&self) -> Trust {
        self.trust_but(self.store.revocations().unwrap())
    }

    fn trust_but(&self, revoked: impl IntoIterator<Item = Revocation>) -> Trust {
        let keys = own_key_set(&self.store.signing_keys().unwrap()).unwrap();
        let config = self.issuer.config(self.store.service_accounts().unwrap());
        let own = TrustedIssuer::new(config).with_keys(keys.map(Arc::new));
        Trust::new(1, vec![own], revoked).unwrap()
    }

    fn judge(&self, token: &str, now: SystemTime) -> Result<Option<String>, Rejection> {
        Self::judge_by(&self.trust(), token, now)
    }

    fn judge_by(trust: &Trust, token: &str, now: SystemTime) -> Result<Option<String>, Rejection> {
        let audiences: Arc<[String]> = [AUDIENCE.to_owned()].into();
        let verified = trust.judge(token, &audiences, now);
        verified
            .map(|verified| verified.service_account.map(|email| email.to_string()))
            .map_err(|rejected| rejected.rejection)
    }

    fn phases(&self) -> Vec<Phase> {
        let records = key_times(&self.store.signing_keys().unwrap());
        records.iter().map(|record| record.phase()).collect()
    }
}

#[test]
fn the_first_token_makes_the_first_key_and_is_good() {
    let scratch = Scratch::new();
    let now = SystemTime::now();
    let token = scratch.token(now);
    assert_eq!(scratch.phases(), [Phase::Current]);
    assert_eq!(scratch.judge(&token, now), Ok(Some(ACCOUNT.into())));
}

#[test]
fn keys_follow_one_another_and_no_token_dies_early() {
    let scratch = Scratch::new();
    let begin = SystemTime::now();
    let mut token = scratch.token(begin);
    for hour in 1..24 * 70 {
        let now = begin + Duration::from_secs(3600) * hour;
        scratch.issuer.keep_keys(&scratch.store, now).unwrap();
        let just_alive = now - Duration::from_secs(1);
        assert!(scratch.judge(&token, just_alive).is_ok(), "hour {hour}");
        token = scratch.token(now);
        assert!(scratch.store.signing_keys().unwrap().len() <= 3);
    }
    let signed = scratch.store.signing_keys().unwrap();
    assert!(signed.iter().all(|key| key.published > 0), "{signed:?}");
}

#[test]
fn a_rotation_publishes_first_and_signs_when_it_is_known() {
    let scratch = Scratch::new();
    let now = SystemTime::now();
    scratch.token(now);
    let rotate = |at_once, now| scratch.issuer.rotate(&scratch.store, at_once, now).unwrap();
    rotate(false, now + DAY);
    assert_eq!(scratch.phases(), [Phase::Current, Phase::Next]);
    rotate(false, now + DAY);
    assert_eq!(scratch.phases(), [Phase::Current, Phase::Next]);
    rotate(false, now + DAY * 4);
    assert_eq!(scratch.phases(), [Phase::Previous, Phase::Current]);
}

#[test]
fn a_rotation_at_once_does_not_wait_to_be_known() {
    let scratch = Scratch::new();
    let now = SystemTime::now();
    let old = scratch.token(now);
    let later = now + Duration::from_secs(10);
    scratch.issuer.rotate(&scratch.store, true, later).unwrap();
    assert_eq!(scratch.phases(), [Phase::Previous, Phase::Current]);
    assert!(scratch.judge(&old, later).is_ok());
    assert!(scratch.judge(&scratch.token(later), later).is_ok());
}

#[test]
fn tokens_of_an_account_that_is_gone_or_made_anew_are_refused() {
    let scratch = Scratch::new();
    let now = SystemTime::now();
    let token = scratch.token(now);
    scratch.store.delete_service_account(ACCOUNT).unwrap();
    assert!(scratch.judge(&token, now).is_err());
    scratch
        .store
        .create_service_account(ACCOUNT, "2", "")
        .unwrap();
    assert!(scratch.judge(&token, now).is_err());
}

#[test]
fn what_is_revoked_is_refused() {
    let now = SystemTime::now();
    for kind in [RevokedKind::Subject, RevokedKind::Key] {
        let scratch = Scratch::new();
        let token = scratch.token(now);
        let value = match kind {
            RevokedKind::Subject => "1".to_owned(),
            _ => scratch.store.signing_keys().unwrap()[0].id.clone(),
        };
        let issuer = scratch.issuer.url.as_str().to_owned();
        let revocation = Revocation {
            issuer,
            kind,
            value,
        };
        scratch.store.revoke(&revocation).unwrap();
        let rejected = scratch.judge(&token, now);
        assert!(
            matches!(rejected, Err(Rejection::Revoked { kind: of, .. }) if of == kind),
            "{rejected:?}"
        );
    }
}

#[test]
fn a_revocation_that_cannot_be_read_revokes_what_it_may_be_about() {
    let now = SystemTime::now();
    let of_another = "https://another.example";
    for (issuer, is_refused) in [
        (None, true),
        (Some(ANY_ISSUER), true),
        (Some(of_another), false),
    ] {
        let scratch = Scratch::new();
        let token = scratch.token(now);
        let revocation = Revocation {
            issuer: issuer.unwrap_or(scratch.issuer.url.as_str()).to_owned(),
            kind: RevokedKind::Unreadable,
            value: String::new(),
        };
        let judged = Scratch::judge_by(&scratch.trust_but([revocation]), &token, now);
        assert_eq!(
            matches!(judged, Err(Rejection::Unreadable(_))),
            is_refused,
            "{issuer:?}"
        );
    }
}

#[test]
fn without_keys_nobody_is_let_in() {
    let scratch = Scratch::new();
    let now = SystemTime::now();
    let token = scratch.token(now);
    scratch
        .store
        .change_signing_keys(|keys| {
            keys.clear();
            Ok::<_, crate::store::StoreError>(())
        })
        .unwrap();
    let rejected = scratch.judge(&token, now);
    assert!(
        matches!(rejected, Err(Rejection::NoKeys(_))),
        "{rejected:?}"
    );
}

#[test]
fn an_account_that_is_revoked_gets_no_token_whatever_the_issuer_is_called() {
    let scratch = Scratch::new();
    let revocation = Revocation {
        issuer: OWN.to_owned(),
        kind: RevokedKind::Subject,
        value: "1".into(),
    };
    scratch.store.revoke(&revocation).unwrap();
    let request = TokenRequest {
        account: ACCOUNT,
        audience: AUDIENCE,
        with_email: true,
        lifetime: Duration::from_secs(3600),
    };
    let token = scratch
        .issuer
        .token(&scratch.store, request, SystemTime::now());
    let refused = token.unwrap_err();
    assert!(
        matches!(&refused, OwnIssuerError::Revoked(account) if account == ACCOUNT),
        "{refused}"
    );
}

#[test]
fn rotations_at_once_are_bounded_but_not_for_a_key_that_is_revoked() {
    let scratch = Scratch::new();
    let now = SystemTime::now();
    scratch.token(now);
    let rotated = (0..100).map(|_| scratch.issuer.rotate(&scratch.store, true, now));
    let refused = rotated.filter_map(Result::err).next().unwrap();
    assert!(
        matches!(refused, OwnIssuerError::ManyKeys(MOST_PUBLISHED)),
        "{refused}"
    );
    let keys = || scratch.store.signing_keys().unwrap();
    assert_eq!(keys().len(), MOST_PUBLISHED);
    let signing = key_times(&keys());
    let signing = current_key(&signing).unwrap().id.clone();
    assert!(
        scratch
            .issuer
            .replace_key(&scratch.store, &signing, now)
            .unwrap()
    );
    let revocation = Revocation {
        issuer: OWN.to_owned(),
        kind: RevokedKind::Key,
        value: signing,
    };
    scratch.store.revoke(&revocation).unwrap();
    // A key whose tokens have all expired is deleted, so another one can be made.
    let later = now + RotationPolicy::default().kept_for;
    scratch.issuer.keep_keys(&scratch.store, later).unwrap();
    assert!(scratch.issuer.rotate(&scratch.store, true, later).unwrap());
}
