//! What an execution used.

use std::time::Duration;

/// A turn that lasts longer holds up others by more than they are promised. A busy guest has to give way after 2 to 4 ms;
/// what the host does for it within one call is not interrupted.
pub const LONG_TURN: Duration = Duration::from_millis(20);

/// What an execution used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// From start to end.
    pub wall: Duration,
    /// Time on a processor.
    pub busy: Duration,
    /// How often it held its thread for more than [`LONG_TURN`], in one piece.
    pub overruns: u64,
    /// The most memory held, in bytes.
    pub memory: u64,
    /// How long it took to make the instance, if that was done.
    pub instantiation: Option<Duration>,
    /// Bytes of the request body that the guest took.
    pub received: u64,
    /// Bytes of the response body that the guest gave.
    pub sent: u64,
}
