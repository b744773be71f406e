//! The run queue of a thread: its busy guests take turns, one after the other, so that they delay nobody else by more than
//! one slice.
//!
//! Those that have had few turns so far go before those that have had many, one of these for one of those, so that a
//! function which computes for a moment does not wait for all that compute for ever.
//!
//! Left to a runtime alone, fifty spinning guests on a thread would each run for a tick between two looks at the
//! network. Here a guest that has used up its slice queues for a turn, and between two turns the thread serves
//! everything else that is ready.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The queue of one thread. Executions that are started with the same one share its turns.
pub struct RunQueue {
    /// Tells the queues of a process apart.
    number: usize,
    queue: Mutex<Queue>,
    /// Whether the guest being polled just now took its turn in this poll.
    entered: AtomicBool,
}

#[derive(Default)]
struct Queue {
    /// Guests with few turns, and guests with many.
    young: VecDeque<(u64, Waker)>,
    old: VecDeque<(u64, Waker)>,
    young_was_last: bool,
    current: Option<u64>,
    next_ticket: u64,
}

/// A guest with more turns than this no longer goes first.
const YOUNG: u32 = 8;

impl RunQueue {
    /// A queue with nobody in it.
    pub fn new() -> Arc<Self> {
        static QUEUES: AtomicUsize = AtomicUsize::new(0);
        Arc::new(Self {
            number: QUEUES.fetch_add(1, Ordering::Relaxed),
            queue: Mutex::default(),
            entered: AtomicBool::new(false),
        })
    }

    /// Tells the queues of a process apart.
    pub(crate) fn number(&self) -> usize {
        self.number
    }

    /// Queues up for the guest's turn number `number`. Resolves when it has come and the thread has looked at its other
    /// work.
    pub(crate) fn turn(self: &Arc<Self>, number: u32) -> Turn {
        Turn {
            run_queue: Arc::clone(self),
            is_young: number <= YOUNG,
            state: TurnState::Arriving,
        }
    }

    /// Ends the turn that was taken in the poll that has just returned, if one was.
    pub(crate) fn leave(&self) {
        if self.entered.load(Ordering::Relaxed) {
            self.entered.store(false, Ordering::Relaxed);
            self.queue().advance();
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // No code that can panic runs under this lock.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// Hands the turn to the one of its kind who has waited longest.
    fn advance(&mut self) {
        self.current = None;
        let young_first = !self.young_was_last || self.old.is_empty();
        let next = if young_first && !self.young.is_empty() {
            self.young_was_last = true;
            self.young.pop_front()
        } else {
            self.young_was_last = false;
            self.old.pop_front()
        };
        if let Some((ticket, waker)) = next {
            self.current = Some(ticket);
            waker.wake();
        }
    }

    fn of(&mut self, is_young: bool) -> &mut VecDeque<(u64, Waker)> {
        if is_young {
            &mut self.young
        } else {
            &mut self.old
        }
    }
}

/// A place in the queue.
pub(crate) struct Turn {
    run_queue: Arc<RunQueue>,
    is_young: bool,
    state: TurnState,
}

enum TurnState {
    Arriving,
    Queued(u64),
    Called(u64, Pin<Box<dyn Future<Output = ()> + Send>>),
    Entered,
}

impl Future for Turn {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match &mut self.state {
                TurnState::Arriving => {
                    let ticket = self.arrive(cx);
                    self.state = TurnState::Queued(ticket);
                    return Poll::Pending;
                }
                &mut TurnState::Queued(ticket) => {
                    if !self.is_called(ticket, cx) {
                        return Poll::Pending;
                    }
                    // tokio wakes a yielding task only after it has looked at its timers and sockets.
                    let others_first = Box::pin(tokio::task::yield_now());
                    self.state = TurnState::Called(ticket, others_first);
                }
                TurnState::Called(_, others_first) => {
                    std::task::ready!(others_first.as_mut().poll(cx));
                    self.run_queue.entered.store(true, Ordering::Relaxed);
                    self.state = TurnState::Entered;
                    return Poll::Ready(());
                }
                TurnState::Entered => return Poll::Ready(()),
            }
        }
    }
}

impl Turn {
    fn arrive(&self, cx: &Context<'_>) -> u64 {
        let mut queue = self.run_queue.queue();
        let ticket = queue.next_ticket;
        queue.next_ticket += 1;
        queue
            .of(self.is_young)
            .push_back((ticket, cx.waker().clone()));
        // The guest that queues while its own turn lasts is called when that turn ends, by `leave`.
        if queue.current.is_none() {
            queue.advance();
        }
        ticket
    }

    fn is_called(&self, ticket: u64, cx: &Context<'_>) -> bool {
        let mut queue = self.run_queue.queue();
        if queue.current == Some(ticket) {
            return true;
        }
        if let Some((_, waker)) = queue
            .of(self.is_young)
            .iter_mut()
            .find(|(other, _)| *other == ticket)
        {
            waker.clone_from(cx.waker());
        }
        false
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let TurnState::Queued(ticket) | TurnState::Called(ticket, _) = self.state {
            let mut queue = self.run_queue.queue();
            queue
                .of(self.is_young)
                .retain(|(other, _)| *other != ticket);
            if queue.current == Some(ticket) {
                queue.advance();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Wake;

    struct Count(Mutex<u32>);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            *self.0.lock().unwrap() += 1;
        }
    }

    fn waker() -> Waker {
        Arc::new(Count(Mutex::new(0))).into()
    }

    /// Polls until ready or until `times` polls were in vain.
    fn poll_up_to(turn: &mut Turn, times: u32) -> bool {
        let waker = waker();
        let mut cx = Context::from_waker(&waker);
        (0..times).any(|_| Pin::new(&mut *turn).poll(&mut cx).is_ready())
    }

    #[test]
    fn one_guest_at_a_time_and_in_order() {
        let run_queue = RunQueue::new();
        let (mut a, mut b, mut c) = (run_queue.turn(1), run_queue.turn(1), run_queue.turn(1));
        for turn in [&mut a, &mut b, &mut c] {
            assert!(!poll_up_to(turn, 1));
        }
        assert!(!poll_up_to(&mut b, 5), "b waits while it is a's turn");
        assert!(poll_up_to(&mut a, 3));
        run_queue.leave();
        assert!(!poll_up_to(&mut c, 5), "c waits while it is b's turn");
        assert!(poll_up_to(&mut b, 3));
        run_queue.leave();
        assert!(poll_up_to(&mut c, 3));
    }

    #[test]
    fn a_turn_is_not_taken_at_once_so_that_others_get_to_run() {
        let run_queue = RunQueue::new();
        let mut turn = run_queue.turn(1);
        assert!(!poll_up_to(&mut turn, 1));
    }

    #[test]
    fn a_guest_that_goes_away_while_it_waits_or_is_called_leaves_no_gap() {
        let run_queue = RunQueue::new();
        let (mut a, mut b, mut c) = (run_queue.turn(1), run_queue.turn(1), run_queue.turn(1));
        for turn in [&mut a, &mut b, &mut c] {
            poll_up_to(turn, 1);
        }
        drop(b);
        drop(a);
        assert!(poll_up_to(&mut c, 3));
    }

    #[test]
    fn a_young_guest_goes_first_but_not_always() {
        let run_queue = RunQueue::new();
        let mut first = run_queue.turn(100);
        let mut old: Vec<_> = (0..2).map(|_| run_queue.turn(100)).collect();
        let mut young: Vec<_> = (0..2).map(|_| run_queue.turn(1)).collect();
        poll_up_to(&mut first, 1);
        for turn in old.iter_mut().chain(&mut young) {
            poll_up_to(turn, 1);
        }
        assert!(poll_up_to(&mut first, 3));
        let mut order = Vec::new();
        for _ in 0..4 {
            run_queue.leave();
            for (name, turns) in [("young", &mut young), ("old", &mut old)] {
                let called = turns.iter_mut().position(|turn| poll_up_to(turn, 3));
                if let Some(called) = called {
                    turns.remove(called);
                    order.push(name);
                }
            }
        }
        assert_eq!(order, ["young", "old", "young", "old"]);
    }
}
