//! What a service manager is told, if one started the process (sd_notify(3)).

use std::time::Duration;

use sd_notify::NotifyState;

/// The host serves.
pub(in crate::serve) fn ready() {
    tell(NotifyState::Ready);
}

/// The host drains, and then ends.
pub(in crate::serve) fn stopping() {
    tell(NotifyState::Stopping);
}

/// Says that the control plane's thread is alive for as long as it is, if the service manager wants to know. It runs on
/// that thread: one that hangs says nothing, and the service manager starts the host again.
pub(in crate::serve) async fn keep_alive() {
    let Some(interval) = sd_notify::watchdog_enabled().filter(|interval| !interval.is_zero())
    else {
        return;
    };
    // Half of the time, as sd_watchdog_enabled(3) recommends.
    let mut ticks = tokio::time::interval((interval / 2).max(Duration::from_millis(1)));
    loop {
        ticks.tick().await;
        tell(NotifyState::Watchdog);
    }
}

/// Does nothing where no service manager listens.
fn tell(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::debug!("the service manager was not told: {error}");
    }
}
