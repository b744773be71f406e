//! Warm instances: a function may keep its instances for further requests.

mod ahead;
mod concurrent;
mod fitness;
mod member;
mod pool;
mod retired;

use std::time::Duration;

use super::setters::setters;

pub(crate) use ahead::Ahead;
pub(crate) use concurrent::ConcurrentPool;
pub(crate) use member::Member;
pub(crate) use pool::{Life, WarmPool};
pub use retired::Retired;

/// How instances are kept for further requests, one request after the other. What a guest has in memory then stays for
/// the next request to the same function.
///
/// An instance is let go of after a request that failed or left something open, and when it meets a bound. Each request
/// has the whole [`Limits`](crate::Limits), but memory that the instance keeps counts for each of its requests.
///
/// ```
/// use host_sandbox::{FunctionConfig, Sandbox, SandboxConfig, Warm};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let component = wat::parse_file("examples/hello.wat")?;
/// let sandbox = Sandbox::new(SandboxConfig::default())?;
/// let config = FunctionConfig::default().warm(Some(Warm::default().requests(100)));
/// let hello = sandbox.load_bytes(component, config).await?;
/// hello.call(http::Request::get("/").body(String::new())?).await?;
/// // Its instance waits for the next request.
/// assert_eq!(hello.warm_usage().map(|usage| usage.idle), Some(1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Warm {
    /// Requests that an instance answers, less a random part of up to an eighth, so that not all end at once. Default
    /// 1,000.
    pub requests: u32,
    /// How long an instance may lie idle. Default 60 s.
    pub idle_time: Duration,
    /// How old an instance may be, less a random part of up to an eighth. Default 1 h.
    pub age: Duration,
    /// The most of its limits on memory and tables that an instance may keep, in percent. Default 75.
    pub memory_percent: u8,
    /// Instances that may lie idle at once. Default 1,000.
    pub most_idle: usize,
    /// Instances that there are at the least, made ahead of need by a thread of the sandbox: after the first one, from
    /// [`Function::try_instance`](crate::Function::try_instance) or a call, and when one is let go of. They stay however long they are idle, but give way to others that need memory, and no
    /// other one gives way to them. Default 0.
    pub least: usize,
    /// Requests that an instance of a component of WASI 0.3 answers at once. If more than one, none is made ahead of need, and
    /// a component of WASI 0.2 still answers one at a time. Executions without a run queue have to be on one runtime then, which
    /// is driven all the time. Default 1.
    pub concurrency: u32,
}

impl Default for Warm {
    fn default() -> Self {
        Self {
            requests: 1000,
            idle_time: Duration::from_secs(60),
            age: Duration::from_secs(60 * 60),
            memory_percent: 75,
            most_idle: 1000,
            least: 0,
            concurrency: 1,
        }
    }
}

setters!(Warm {
    requests: u32,
    idle_time: Duration,
    age: Duration,
    memory_percent: u8,
    most_idle: usize,
    least: usize,
    concurrency: u32,
});

impl Warm {
    /// How many requests an instance is to answer, and how old it may get, both less up to an eighth at random.
    fn life(&self) -> Life {
        use std::hash::{BuildHasher, Hasher, RandomState};
        let random = RandomState::new().build_hasher().finish();
        let less = (random % u64::from(self.requests / 8 + 1)) as u32;
        let part = f64::from((random >> 32) as u32) / f64::from(u32::MAX);
        Life {
            requests: self.requests - less,
            age: self.age - self.age.mul_f64(part / 8.0),
        }
    }
}

/// The warm instances of a function: those that lie idle, and those that were let go of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WarmUsage {
    /// Instances that lie idle at this moment.
    pub idle: usize,
    /// Instances that were let go of so far, by the reason.
    pub retired: Vec<(Retired, u64)>,
}

#[cfg(test)]
mod tests;
