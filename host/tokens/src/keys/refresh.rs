//! Decides when the keys of an issuer are fetched again.
//!
//! One fetch at a time, before the keys are too old. A token with an unknown key is a reason to fetch at once, but not
//! twice within the cooldown, which counts from the attempt. Through an outage the old keys are used up to a bound. After
//! it there are none.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// How long a fetch may take. Nobody waits longer for one.
pub const FETCH_TIME: Duration = Duration::from_secs(5);
/// How long keys of an outside issuer are not fetched again for a token's sake, or after a failure.
pub const COOLDOWN: Duration = Duration::from_secs(30);
/// How much longer than they are good keys are kept when no others can be had.
const OUTAGE: Duration = Duration::from_secs(60 * 60);

/// Asks a [`KeyRefresh`] for newer keys. Cheap to clone.
#[derive(Clone, Debug)]
pub struct KeyRequest {
    cooldown: Duration,
    asked: Arc<Notify>,
    attempts: watch::Receiver<Attempts>,
}

/// Fetches keys before they are too old and when a token needs newer ones, as long as it runs.
///
/// ```
/// use std::time::Duration;
///
/// use host_tokens::{COOLDOWN, Fetched, KeyRefresh, Refreshed};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let (refresh, request) = KeyRefresh::new(COOLDOWN);
/// let fetch = || async {
///     let good_for = Duration::from_secs(600);
///     Ok::<_, std::io::Error>(Fetched { value: "the keys", good_for })
/// };
/// let publish = |refreshed| match refreshed {
///     Refreshed::Fetched(keys) => println!("{keys} are used from now on"),
///     Refreshed::Failed(error) => println!("{error}: the keys stay as they are"),
///     Refreshed::Stale(error) => println!("{error}: there are no keys any more"),
/// };
/// tokio::select! {
///     () = refresh.run(fetch, publish) => unreachable!("it runs for ever"),
///     has_tried = request.newer_keys(Duration::from_secs(5)) => println!("fetched: {has_tried}"),
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct KeyRefresh {
    cooldown: Duration,
    asked: Arc<Notify>,
    attempts: watch::Sender<Attempts>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Attempts {
    ended: u64,
    is_fetching: bool,
    last: Option<Instant>,
    /// When what was fetched last is too old to be relied upon.
    stale_at: Option<Instant>,
}

/// What was fetched, and how long it is good.
#[derive(Debug)]
pub struct Fetched<T> {
    /// What it is.
    pub value: T,
    /// How long it is good.
    pub good_for: Duration,
}

/// What became of an attempt.
#[derive(Debug)]
pub enum Refreshed<T, E> {
    /// This is new.
    Fetched(T),
    /// Nothing came; what there was is still good enough.
    Failed(E),
    /// Nothing came, and what there was is too old.
    Stale(E),
}

impl KeyRefresh {
    /// Fetches for the sake of a token no more often than once in `cooldown`. The [`KeyRequest`] asks for that.
    pub fn new(cooldown: Duration) -> (Self, KeyRequest) {
        let asked = Arc::new(Notify::new());
        let (sender, receiver) = watch::channel(Attempts::default());
        let request = KeyRequest {
            cooldown,
            asked: Arc::clone(&asked),
            attempts: receiver,
        };
        let refresh = Self {
            cooldown,
            asked,
            attempts: sender,
        };
        (refresh, request)
    }

    /// Takes over from the refresh that `before` asks, which has ended. What that one fetched is good for as long as it
    /// would have been.
    pub fn take_over(before: &KeyRequest) -> (Self, KeyRequest) {
        let (refresh, request) = Self::new(before.cooldown);
        let stale_at = before.attempts.borrow().stale_at;
        refresh
            .attempts
            .send_modify(|attempts| attempts.stale_at = stale_at);
        (refresh, request)
    }

    /// Calls `fetch`, gives what came of it to `publish`, and sleeps, for ever. A [`KeyRequest::newer_keys`] that waits
    /// returns only after `publish` has.
    pub async fn run<T, E, F: Future<Output = Result<Fetched<T>, E>>>(
        self,
        fetch: impl Fn() -> F,
        publish: impl Fn(Refreshed<T, E>),
    ) {
        let mut stale_at = self.attempts.borrow().stale_at;
        loop {
            let now = Instant::now();
            self.attempts.send_modify(|attempts| {
                attempts.is_fetching = true;
                attempts.last = Some(now);
            });
            let pause = match fetch().await {
                Ok(fetched) => {
                    stale_at = Some(now + fetched.good_for + OUTAGE);
                    publish(Refreshed::Fetched(fetched.value));
                    // Well ahead of need, so that one failed attempt does no harm.
                    fetched.good_for.mul_f64(0.8)
                }
                Err(error) => {
                    let is_stale = stale_at.is_none_or(|stale_at| Instant::now() >= stale_at);
                    publish(if is_stale {
                        Refreshed::Stale(error)
                    } else {
                        Refreshed::Failed(error)
                    });
                    self.cooldown
                }
            };
            self.attempts.send_modify(|attempts| {
                attempts.is_fetching = false;
                attempts.ended += 1;
                attempts.stale_at = stale_at;
            });
            self.rest(now, pause).await;
        }
    }

    /// Until `pause` is over, or somebody asks after the cooldown.
    async fn rest(&self, attempt: Instant, pause: Duration) {
        let asked = async {
            tokio::time::sleep_until(attempt + self.cooldown).await;
            self.asked.notified().await;
        };
        tokio::select! {
            () = tokio::time::sleep_until(attempt + pause) => {}
            () = asked => {}
        }
    }
}

impl KeyRequest {
    /// Has keys be fetched again once the cooldown is over, also if a fetch is under way, which may have come too early.
    pub fn fetch_again(&self) {
        self.asked.notify_one();
    }

    /// Waits for newer keys, if some may be fetched at this moment, but no longer than `patience`. Tells whether an
    /// attempt has ended meanwhile.
    pub async fn newer_keys(&self, patience: Duration) -> bool {
        let mut attempts = self.attempts.clone();
        let seen = *attempts.borrow_and_update();
        let is_cooling = seen.last.is_some_and(|last| last.elapsed() < self.cooldown);
        // A refresh begins with a fetch.
        let is_fetching = seen.is_fetching || seen.last.is_none();
        if !is_fetching {
            if is_cooling {
                return false;
            }
            self.fetch_again();
        }
        let ended = attempts.wait_for(|attempts| attempts.ended > seen.ended);
        let ended = tokio::time::timeout(patience.min(FETCH_TIME), ended).await;
        matches!(ended, Ok(Ok(_)))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    const GOOD_FOR: Duration = Duration::from_secs(600);
    /// A refresh of keys that are fetched as `is_up` says, with what it published and how often it tried.
    struct Kept {
        is_up: Rc<RefCell<bool>>,
        news: Rc<RefCell<Vec<&'static str>>>,
        tries: Rc<RefCell<u32>>,
        request: KeyRequest,
    }

    fn keep() -> Kept {
        let (refresh, request) = KeyRefresh::new(COOLDOWN);
        let kept = Kept {
            is_up: Rc::new(RefCell::new(true)),
            news: Rc::default(),
            tries: Rc::default(),
            request,
        };
        let (is_up, tries) = (Rc::clone(&kept.is_up), Rc::clone(&kept.tries));
        let news = Rc::clone(&kept.news);
        let fetch = move || {
            *tries.borrow_mut() += 1;
            let is_up = *is_up.borrow();
            async move {
                match is_up {
                    true => Ok(Fetched {
                        value: (),
                        good_for: GOOD_FOR,
                    }),
                    false => Err(()),
                }
            }
        };
        let publish = move |told| {
            news.borrow_mut().push(match told {
                Refreshed::Fetched(()) => "keys",
                Refreshed::Failed(()) => "failed",
                Refreshed::Stale(()) => "stale",
            });
        };
        tokio::task::spawn_local(refresh.run(fetch, publish));
        kept
    }

    async fn locally(test: impl Future<Output = ()>) {
        tokio::task::LocalSet::new().run_until(test).await;
    }

    #[tokio::test(start_paused = true)]
    async fn keys_are_fetched_at_once_and_again_before_they_are_old() {
        locally(async {
            let kept = keep();
            tokio::time::sleep(GOOD_FOR).await;
            assert_eq!(*kept.news.borrow(), ["keys", "keys"]);
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_unknown_keys_are_one_fetch_in_the_cooldown() {
        locally(async {
            let kept = keep();
            tokio::time::sleep(COOLDOWN).await;
            let asking = (0..1000).map(|_| {
                let request = kept.request.clone();
                tokio::task::spawn_local(async move { request.newer_keys(FETCH_TIME).await })
            });
            for asking in asking.collect::<Vec<_>>() {
                assert!(asking.await.unwrap());
            }
            assert_eq!(*kept.tries.borrow(), 2);
            assert!(
                !kept.request.newer_keys(FETCH_TIME).await,
                "the cooldown has begun"
            );
            assert_eq!(*kept.tries.borrow(), 2);
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn keys_are_fetched_again_for_what_came_within_the_cooldown() {
        locally(async {
            let kept = keep();
            tokio::time::sleep(COOLDOWN / 2).await;
            kept.request.fetch_again();
            kept.request.fetch_again();
            tokio::time::sleep(COOLDOWN / 2 - Duration::from_secs(1)).await;
            assert_eq!(*kept.tries.borrow(), 1);
            tokio::time::sleep(COOLDOWN).await;
            assert_eq!(*kept.tries.borrow(), 2);
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn old_keys_outlast_an_outage_up_to_a_bound() {
        locally(async {
            let kept = keep();
            tokio::time::sleep(Duration::from_secs(1)).await;
            *kept.is_up.borrow_mut() = false;
            tokio::time::sleep(GOOD_FOR + OUTAGE - Duration::from_secs(10)).await;
            assert!(!kept.news.borrow().contains(&"stale"));
            assert!(kept.news.borrow().contains(&"failed"));
            tokio::time::sleep(COOLDOWN * 2).await;
            assert_eq!(kept.news.borrow().last(), Some(&"stale"));
            *kept.is_up.borrow_mut() = true;
            tokio::time::sleep(COOLDOWN * 2).await;
            assert_eq!(kept.news.borrow().last(), Some(&"keys"));
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn without_keys_from_the_beginning_there_are_none() {
        locally(async {
            let kept = keep();
            *kept.is_up.borrow_mut() = false;
            tokio::time::sleep(Duration::from_secs(1)).await;
            assert_eq!(*kept.news.borrow(), ["stale"]);
        })
        .await;
    }
}
