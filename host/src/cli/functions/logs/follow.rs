//! `host functions logs read --follow`

use std::process::{self, ExitCode};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::super::super::Message;
use super::damage::Damage;
use super::screen::Screen;
use super::source::LogSource;
use crate::api::Criteria;
use crate::logs::{Follow, ReadFormat};
use crate::signals::Signals;

/// How long the end waits for a search, or for a reader to take the entries that are on their way to it.
const GRACE: Duration = Duration::from_millis(200);

/// Shows the entries of `source` that meet `criteria`, now and from now on, until Ctrl-C or SIGTERM, or until nobody reads
/// any more.
pub(super) fn follow(
    source: LogSource,
    criteria: &Criteria,
    format: ReadFormat,
) -> Result<ExitCode, Message> {
    let end = End::listen()?;
    let mut damage = Damage::default();
    let (reading, mut news) = source.follow(criteria)?;
    damage.note(reading.found.unreadable.clone());
    reading.tell();
    let mut screen = Screen::begin(format, &reading.found.entries)?;
    while !screen.is_gone() && !end.comes_within(Duration::ZERO) {
        let news = news.poll()?;
        damage.note(news.unreadable);
        screen.show(&news.entries)?;
        if !news.is_behind && end.comes_within(Follow::INTERVAL) {
            break;
        }
    }
    damage.tell();
    Ok(ExitCode::SUCCESS)
}

/// Whether the command was told to end.
#[derive(Default)]
struct End {
    has_come: Mutex<bool>,
    changed: Condvar,
}

impl End {
    /// Listens to Ctrl-C and SIGTERM on a thread of its own: the one that shows entries can be held up, by a reader who
    /// takes none or by a long search. If it is, the process ends without it.
    fn listen() -> Result<Arc<Self>, Message> {
        let end = Arc::new(Self::default());
        let (begun, begins) = mpsc::channel();
        let ours = Arc::clone(&end);
        let thread = thread::Builder::new().name("signals".into());
        let spawned = thread.spawn(move || {
            if ours.wait_for_signal(&begun) {
                thread::sleep(GRACE);
                process::exit(0);
            }
        });
        spawned.map_err(|error| format!("cannot start: {error}"))?;
        match begins.recv() {
            Ok(None) => Ok(end),
            Ok(Some(error)) => Err(format!("cannot listen to signals: {error}")),
            Err(_) => Err("cannot listen to signals: the thread for them ended".into()),
        }
    }

    /// Waits for a signal, having told through `begun` that it does, or why it cannot. Tells whether one came.
    fn wait_for_signal(&self, begun: &Sender<Option<std::io::Error>>) -> bool {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let waited = runtime.and_then(|runtime| {
            runtime.block_on(async {
                let mut signals = Signals::listen()?;
                // The one who waits for it is there.
                let _ = begun.send(None);
                signals.next().await;
                Ok(())
            })
        });
        match waited {
            Ok(()) => {
                *self.has_come.lock().unwrap_or_else(PoisonError::into_inner) = true;
                self.changed.notify_all();
                true
            }
            Err(error) => {
                let _ = begun.send(Some(error));
                false
            }
        }
    }

    /// Waits for it, `time` at the longest; tells whether it has come.
    fn comes_within(&self, time: Duration) -> bool {
        let has_come = self.has_come.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .changed
            .wait_timeout_while(has_come, time, |has_come| !*has_come);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
