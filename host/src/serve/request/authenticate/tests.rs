use std::cell::RefCell;

use host_tokens::{
    Algorithm, Fetched, IdToken, Invoker, Invokers, IssuerConfig, IssuerUrl, KeyRefresh, KeySet,
    SigningAlgorithm, SigningKey, TrustedIssuer, jwks_document, mint,
};

use super::*;

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "https://host.example/f";
const HOUR: Duration = Duration::from_secs(60 * 60);
/// How long callers may wait for keys.
const PATIENCE: Duration = Duration::from_secs(1);

fn url() -> IssuerUrl {
    ISSUER.parse().unwrap()
}

fn key() -> SigningKey {
    SigningKey::generate(SigningAlgorithm::EdDsa).unwrap()
}

/// A token of `ada`, good from now on for an hour.
fn token(key: &SigningKey) -> String {
    let token = IdToken::new("ada", AUDIENCE).with_lifetime(HOUR);
    mint(&url(), key, &token, SystemTime::now()).unwrap()
}

/// Trusts the issuer with this key, if there is one.
fn trust(generation: u64, key: Option<&SigningKey>, request: Option<&KeyRequest>) -> Arc<Trust> {
    let keys = key.map(|key| {
        let document = jwks_document([key.public()]).to_string();
        Arc::new(KeySet::read(document.as_bytes()).unwrap())
    });
    let config = IssuerConfig::new(url(), [Algorithm::EdDsa]);
    let mut trusted = TrustedIssuer::new(config).with_keys(keys);
    trusted.request = request.cloned();
    Arc::new(Trust::new(generation, vec![trusted], []).unwrap())
}

/// Lets this subject of the issuer in.
fn policy(subject: &str) -> Arc<Policy> {
    let member = format!("principal:{ISSUER}#{subject}").parse().unwrap();
    Arc::new(Policy {
        audiences: [AUDIENCE.to_owned()].into(),
        invokers: Invokers::new(vec![Invoker::Member(member)]),
        own_accounts: false,
    })
}

/// Judges by `trust` with a clock that has been set back by this.
fn authenticator(trust: Arc<Trust>, set_back: Duration) -> Authenticator {
    let worker = WorkerTrust::default();
    worker.trust.replace(trust);
    let clock = SteadyClock::at(SystemTime::now() + set_back, Instant::now());
    Authenticator::new(worker, clock)
}

fn at_once() -> TimeLimit {
    TimeLimit {
        begun: Instant::now(),
        patience: PATIENCE,
    }
}

fn nobody_asks() -> Access {
    panic!("the policy is asked for again without a wait")
}

#[tokio::test]
async fn a_clock_that_was_set_back_lets_no_expired_token_in_again_and_is_named_as_the_reason() {
    let key = key();
    let (token, policy) = (token(&key), policy("ada"));
    let judge = async |set_back| {
        let authenticator = authenticator(trust(1, Some(&key), None), set_back);
        let judged =
            authenticator.authenticate(Some(token.as_bytes()), &policy, at_once(), nobody_asks);
        judged.await
    };
    assert!(judge(Duration::ZERO).await.is_ok());
    let refused = judge(HOUR * 2).await.unwrap_err();
    assert_eq!(refused.reason, Reason::Unauthenticated);
    let why = refused.why.to_string();
    assert!(why.contains("(expired)"), "{why}");
    assert!(why.contains("clock was set back by 7"), "{why}");
}

#[tokio::test]
async fn a_token_that_was_let_in_is_not_when_it_expires_though_the_clock_is_set_back() {
    let key = key();
    let token = token(&key);
    let mut authenticator = authenticator(trust(1, Some(&key), None), Duration::ZERO);
    let policy = policy("ada");
    let first = authenticator.authenticate(Some(token.as_bytes()), &policy, at_once(), nobody_asks);
    assert!(first.await.is_ok());
    authenticator.clock = SteadyClock::at(SystemTime::now() + HOUR * 2, Instant::now());
    let second =
        authenticator.authenticate(Some(token.as_bytes()), &policy, at_once(), nobody_asks);
    let why = second.await.unwrap_err().why.to_string();
    assert!(why.contains("(expired)"), "{why}");
}

/// What becomes of a token of `ada`, whom the policy lets in, if while its key is fetched `access` takes the policy's
/// place.
async fn judged_after_a_wait(access: Access) -> Result<LetIn, NotLetIn> {
    let key = key();
    let (refresh, request) = KeyRefresh::new(HOUR);
    let authenticator = authenticator(trust(1, None, Some(&request)), Duration::ZERO);
    let present = RefCell::new(Access::Private(policy("ada")));
    let fetch = || async {
        Ok::<_, ()>(Fetched {
            value: (),
            good_for: HOUR,
        })
    };
    let publish = |_| {
        present.replace(access.clone());
        authenticator.trust.replace(trust(2, Some(&key), None));
    };
    let (token, policy) = (token(&key), policy("ada"));
    let judged = authenticator.authenticate(Some(token.as_bytes()), &policy, at_once(), || {
        present.borrow().clone()
    });
    tokio::select! {
        // The caller waits first.
        biased;
        judged = judged => judged,
        () = refresh.run(fetch, publish) => unreachable!("a refresh goes on for ever"),
    }
}

#[tokio::test]
async fn a_right_that_is_taken_away_during_a_wait_for_keys_is_gone() {
    let stays = judged_after_a_wait(Access::Private(policy("ada"))).await;
    assert!(stays.unwrap().caller.is_some());
    let taken = judged_after_a_wait(Access::Private(policy("bob"))).await;
    assert_eq!(taken.unwrap_err().reason, Reason::PermissionDenied);
    let gone = judged_after_a_wait(Access::nobody()).await;
    assert_eq!(gone.unwrap_err().reason, Reason::Unauthenticated);
    let open = judged_after_a_wait(Access::Open).await;
    assert!(open.unwrap().caller.is_none());
}

#[tokio::test(start_paused = true)]
async fn keys_are_waited_for_no_longer_than_the_caller_has_time() {
    // The refresh never begins, as if a fetch took for ever.
    let (_keeper, request) = KeyRefresh::new(HOUR);
    let authenticator = authenticator(trust(1, None, Some(&request)), Duration::ZERO);
    let (token, policy) = (token(&key()), policy("ada"));
    let begun = tokio::time::Instant::now();
    let judged = authenticator.authenticate(Some(token.as_bytes()), &policy, at_once(), || {
        Access::Private(Arc::clone(&policy))
    });
    assert_eq!(judged.await.unwrap_err().reason, Reason::KeysUnavailable);
    let waited = begun.elapsed();
    assert!(waited >= PATIENCE && waited < PATIENCE * 2, "{waited:?}");
}

#[tokio::test]
async fn everybody_has_a_turn_between_two_tokens_that_are_refused() {
    let (own, policy) = (key(), policy("ada"));
    let authenticator = authenticator(trust(1, Some(&own), None), Duration::ZERO);
    let told = RefCell::new(String::new());
    let forger = async || {
        let token = token(&key());
        let judged = authenticator.authenticate(Some(token.as_bytes()), &policy, at_once(), || {
            Access::Private(Arc::clone(&policy))
        });
        assert!(judged.await.is_err());
        told.borrow_mut().push('!');
    };
    let others = async {
        while told.borrow().matches('!').count() < 3 {
            told.borrow_mut().push('.');
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(biased; forger(), forger(), forger(), others);
    let told = told.into_inner();
    assert!(!told.contains("!!"), "{told}");
}

#[tokio::test]
async fn a_right_that_is_taken_away_while_other_tokens_are_checked_is_gone() {
    let own = key();
    let (good, forged, policy) = (token(&own), token(&key()), policy("ada"));
    let authenticator = authenticator(trust(1, Some(&own), None), Duration::ZERO);
    let judge = async |token: &str, access: Access| {
        authenticator
            .authenticate(Some(token.as_bytes()), &policy, at_once(), || {
                access.clone()
            })
            .await
    };
    let (_, behind) = tokio::join!(
        biased;
        judge(&forged, Access::nobody()),
        judge(&good, Access::nobody())
    );
    assert_eq!(behind.unwrap_err().reason, Reason::Unauthenticated);
    let present = judge(&good, Access::Private(Arc::clone(&policy)));
    assert!(present.await.is_ok());
}

#[tokio::test]
async fn whoever_may_not_call_is_like_one_whose_token_is_no_good() {
    let (own, policy) = (key(), policy("bob"));
    let token = token(&own);
    let authenticator = authenticator(trust(1, Some(&own), None), Duration::ZERO);
    let judged =
        authenticator.authenticate(Some(token.as_bytes()), &policy, at_once(), nobody_asks);
    assert_eq!(judged.await.unwrap_err().reason, Reason::PermissionDenied);
    assert!(*authenticator.line.lock().await);
}

#[tokio::test]
async fn a_token_that_many_send_at_once_is_checked_once() {
    let (own, policy) = (key(), policy("ada"));
    let token = token(&own);
    let authenticator = authenticator(trust(1, Some(&own), None), Duration::ZERO);
    let caller = async || {
        let judged = authenticator.authenticate(Some(token.as_bytes()), &policy, at_once(), || {
            Access::Private(Arc::clone(&policy))
        });
        judged.await.unwrap().caller.unwrap()
    };
    // While somebody is in line before them.
    let place = authenticator.line.lock().await;
    let (first, second, ()) = tokio::join!(biased; caller(), caller(), async { drop(place) });
    assert!(Arc::ptr_eq(&first, &second));
}

#[tokio::test]
async fn a_caller_who_goes_before_its_turn_leaves_it_to_the_next() {
    let (own, policy) = (key(), policy("ada"));
    let token = token(&own);
    let authenticator = authenticator(trust(1, Some(&own), None), Duration::ZERO);
    *authenticator.line.lock().await = true;
    let judged =
        authenticator.authenticate(Some(token.as_bytes()), &policy, at_once(), nobody_asks);
    tokio::select! {
        biased;
        _ = judged => unreachable!("others have a turn first"),
        () = std::future::ready(()) => {}
    }
    assert!(*authenticator.line.try_lock().expect("it is free"));
}
