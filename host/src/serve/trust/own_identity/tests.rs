use host_tokens::{LONGEST_LIFETIME, SigningAlgorithm, Trust};
use tempfile::TempDir;

use super::*;
use crate::identity::{AccessTokenHolder, TokenRequest};
use crate::scheduler::{TokenFor, TokenSource};
use crate::store::StoreError;

const ACCOUNT: &str = "caller@host.internal";

/// A store with one account, `1`, and the issuer's state of a host that serves from it.
struct Scratch {
    directory: TempDir,
    store: Arc<Store>,
    issuer: OwnIssuer,
    board: Arc<TrustBoard>,
    tokens: Arc<JobTokens>,
    identity: OwnIdentity,
}

impl Scratch {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(directory.path()).unwrap());
        store.create_service_account(ACCOUNT, "1", "").unwrap();
        let issuer = OwnIssuer {
            url: "http://127.0.0.1:8081".parse().unwrap(),
            algorithm: SigningAlgorithm::EdDsa,
        };
        let board = Arc::new(TrustBoard::new(1));
        let tokens = Arc::new(JobTokens::new(host_tokens::SteadyClock::start()));
        let (mut identity, _keeper) = OwnIdentity::new(
            issuer.clone(),
            Arc::clone(&store),
            Arc::clone(&board),
            Arc::clone(&tokens),
        );
        identity.refresh().unwrap();
        Self {
            directory,
            store,
            issuer,
            board,
            tokens,
            identity,
        }
    }

    fn token(&self) -> String {
        let request = TokenRequest {
            account: ACCOUNT,
            audience: "x",
            with_email: false,
            lifetime: LONGEST_LIFETIME,
        };
        let token = self.issuer.token(&self.store, request, SystemTime::now());
        token.unwrap()
    }

    fn trust(&self) -> Arc<Trust> {
        self.board.of_worker(0).trust.current()
    }

    /// The reason for which a worker refuses `token`, or `good`.
    fn verdict(&self, token: &str) -> &'static str {
        let audiences = ["x".to_owned()].into();
        let verdict = self.trust().judge(token, &audiences, SystemTime::now());
        verdict.map_or_else(|rejected| rejected.rejection.code(), |_| "good")
    }

    fn revoke(&self, kind: RevokedKind, value: &str) {
        let revocation = Revocation {
            issuer: crate::identity::OWN.to_owned(),
            kind,
            value: value.to_owned(),
        };
        self.store.revoke(&revocation).unwrap();
    }

    fn change_keys(&self, change: impl FnOnce(&mut Vec<SigningKeyRecord>)) {
        self.store
            .change_signing_keys(|keys| {
                change(keys);
                Ok::<_, StoreError>(())
            })
            .unwrap();
    }

    /// Keeps one more key, which nobody can read.
    fn spoil_a_key(&self) {
        self.change_keys(|keys| {
            let mut spoilt = keys[0].clone();
            spoilt.id = "spoilt".into();
            spoilt.pkcs8.truncate(3);
            spoilt.signing = None;
            keys.push(spoilt);
        });
    }
}

#[tokio::test]
async fn who_follows_the_store_takes_up_what_another_program_revokes() {
    let scratch = Scratch::new();
    let token = scratch.token();
    let (identity, refresh) = OwnIdentity::new(
        scratch.issuer.clone(),
        Arc::clone(&scratch.store),
        Arc::clone(&scratch.board),
        Arc::clone(&scratch.tokens),
    );
    tokio::spawn(follow(identity, refresh, Arc::default()));
    let other = Arc::new(Store::open(scratch.directory.path()).unwrap());
    let mut noted = other.changes();
    for store in [&scratch.store, &other] {
        tokio::spawn(crate::store::watch(Arc::clone(store)));
    }
    // The first one may be seen by the first look, the second one is not.
    for (kind, value) in [(RevokedKind::Token, "some-id"), (RevokedKind::Subject, "1")] {
        scratch.revoke(kind, value);
        while !other.is_identity_taken_up().unwrap() {
            noted.changed().await.unwrap();
        }
    }
    assert_eq!(scratch.verdict(&token), "revoked");
}

/// The token that a job of the account sends.
fn identity() -> TokenFor {
    TokenFor {
        account: ACCOUNT.into(),
        subject: None,
        audience: "x".into(),
    }
}

#[test]
fn a_disabled_account_is_refused_and_gets_no_token_until_it_is_enabled() {
    let mut scratch = Scratch::new();
    let token = scratch.token();
    let holder = AccessTokenHolder::ServiceAccount(ACCOUNT);
    let now = SystemTime::now();
    let access = scratch
        .issuer
        .access_token(&scratch.store, holder, LONGEST_LIFETIME, now);
    let access = access.unwrap().token;
    for (is_disabled, expected) in [(true, "revoked"), (false, "good")] {
        let changed = scratch.store.change_service_account(ACCOUNT, |account| {
            account.is_disabled = is_disabled;
            Ok::<_, StoreError>(())
        });
        changed.unwrap();
        scratch.identity.refresh().unwrap();
        assert_eq!(scratch.verdict(&token), expected);
        let for_job = scratch.tokens.token(&identity());
        assert_eq!(for_job.is_err(), is_disabled, "{for_job:?}");
        let audiences = ["x".to_owned()].into();
        let caller = scratch
            .trust()
            .judge_control_plane(&access, &audiences, SystemTime::now());
        assert_eq!(caller.is_err(), is_disabled, "{caller:?}");
    }
}

#[test]
fn what_is_revoked_and_who_is_gone_counts_though_a_key_cannot_be_read() {
    let mut scratch = Scratch::new();
    let token = scratch.token();
    assert_eq!(scratch.verdict(&token), "good");
    scratch.spoil_a_key();
    assert!(scratch.identity.refresh().is_err());
    assert_eq!(
        scratch.verdict(&token),
        "good",
        "the other key is as good as ever"
    );
    scratch.revoke(RevokedKind::Token, "some-id");
    scratch.revoke(RevokedKind::Subject, "1");
    assert!(scratch.identity.refresh().is_err(), "and it is told");
    assert_eq!(scratch.verdict(&token), "revoked");
    assert!(scratch.tokens.token(&identity()).is_err());
    assert!(scratch.store.is_identity_taken_up().unwrap());
    scratch.store.delete_service_account(ACCOUNT).unwrap();
    assert!(scratch.identity.refresh().is_err());
    assert_eq!(scratch.verdict(&token), "unknown_account");
    scratch.change_keys(|keys| keys.retain(|key| key.id != "spoilt"));
    assert!(scratch.identity.refresh().is_ok());
}

#[test]
fn a_key_that_is_revoked_neither_checks_nor_signs_though_another_cannot_be_read() {
    let mut scratch = Scratch::new();
    let token = scratch.token();
    let id = scratch.store.signing_keys().unwrap()[0].id.clone();
    scratch.spoil_a_key();
    scratch.revoke(RevokedKind::Key, &id);
    assert!(scratch.identity.refresh().is_err());
    assert_ne!(scratch.verdict(&token), "good");
    assert!(scratch.tokens.token(&identity()).is_err());
    let published = scratch.board.own_documents().unwrap().keys;
    assert!(!published.contains(&id), "{published}");
}

#[test]
fn while_nothing_changes_the_workers_are_told_nothing_even_of_lasting_trouble() {
    let mut scratch = Scratch::new();
    scratch.identity.refresh().unwrap();
    let generation = scratch.trust().generation();
    scratch.identity.refresh().unwrap();
    assert_eq!(scratch.trust().generation(), generation);
    scratch.spoil_a_key();
    assert!(scratch.identity.refresh().is_err());
    let generation = scratch.trust().generation();
    assert!(scratch.identity.refresh().is_err());
    assert_eq!(scratch.trust().generation(), generation);
}

#[test]
fn more_keys_than_a_set_may_have_do_not_hold_up_revocations() {
    let mut scratch = Scratch::new();
    let token = scratch.token();
    scratch.change_keys(|keys| {
        for number in 0..200 {
            let mut another = keys[0].clone();
            another.id = format!("another-{number}");
            another.retired = Some(another.published);
            keys.push(another);
        }
    });
    scratch.revoke(RevokedKind::Subject, "1");
    assert!(scratch.identity.refresh().is_err());
    assert_eq!(scratch.verdict(&token), "revoked");
}

#[test]
fn after_a_key_could_not_be_made_it_is_not_tried_again_at_once() {
    let mut scratch = Scratch::new();
    let begun = Instant::now();
    scratch.identity.trouble = Some(("the disk is full".into(), begun));
    let soon = begun + KEYS_AGAIN / 2;
    let trouble = scratch.identity.keep_keys(soon).unwrap_err().to_string();
    assert!(trouble.contains("the disk is full"), "{trouble}");
    assert!(scratch.identity.keep_keys(begun + KEYS_AGAIN).is_ok());
}
