//! Following one execution: what it prints and how it ends.

use http::StatusCode;

use super::error::Failure;
use super::line::Line;
use super::usage::Usage;

/// The end of an execution.
#[derive(Debug)]
pub struct Ended {
    /// The status of its response head, if it came to that.
    pub status: Option<StatusCode>,
    /// Why it failed, if it did. With a status it failed after the head: that cut the response body short, unless the
    /// guest had finished it.
    pub failure: Option<Failure>,
    /// What it used.
    pub usage: Usage,
    /// What it printed since the observer was last told.
    pub lines: Vec<Line>,
}

/// Follows one execution. Its methods are called on the thread that runs the execution and must not block.
///
/// ```
/// use std::sync::mpsc::{Sender, channel};
///
/// use host_sandbox::execution::{Ended, Observer};
/// use host_sandbox::{Limits, Line, Sandbox, SandboxConfig};
/// use http_body_util::BodyExt;
///
/// struct Report(Sender<Ended>);
///
/// impl Observer for Report {
///     fn waiting(&mut self, lines: Vec<Line>) {
///         lines.iter().for_each(|line| println!("{}", line.text));
///     }
///
///     fn ended(&mut self, ended: Ended) {
///         let _ = self.0.send(ended);
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let component = wat::parse_file("examples/hello.wat")?;
/// let sandbox = Sandbox::new(SandboxConfig::default())?;
/// let hello = sandbox.load_bytes(component, Limits::default()).await?;
/// let (sender, receiver) = channel();
///
/// // The response head comes first, and reading the body runs the rest.
/// let request = http::Request::get("http://localhost/").body(String::new())?;
/// let response = hello.execution().observer(Report(sender)).start(request).await?;
/// assert_eq!(response.status(), 200);
/// assert_eq!(response.into_body().collect().await?.to_bytes(), "Hello plugin!");
///
/// let ended = receiver.recv()?;
/// assert_eq!(ended.failure, None);
/// # Ok(())
/// # }
/// ```
pub trait Observer: Send + 'static {
    /// The execution goes on but has to wait, or its slice is over; `lines` are what it printed since the last call.
    fn waiting(&mut self, lines: Vec<Line>);

    /// The execution has ended. Called once.
    fn ended(&mut self, ended: Ended);
}
