//! From process start to first answer, with the component compiled beforehand.

use std::time::Duration;

use super::server::{Kind, Server};
use super::settings::Settings;

const STARTS: usize = 15;

/// The median of a few starts. The first one, which fills the cache, does not count.
pub(crate) fn first_answer(kind: Kind, settings: &Settings) -> Result<Duration, String> {
    Server::start(kind, settings)?.warm_up()?;
    let mut times = Vec::with_capacity(STARTS);
    for _ in 0..STARTS {
        times.push(Server::start(kind, settings)?.first_answer()?);
    }
    times.sort();
    Ok(times[STARTS / 2])
}
