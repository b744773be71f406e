//! A private function in a store that is served, with a service account that may call it.

use crate::{Host, Output, PATIENCE, Reply, Signal, State, compiled, guest};

/// The account, as policies name it.
pub const ACCOUNT: &str = "serviceAccount:caller@host.internal";
/// What an account may do that may call.
pub const ROLE: &str = "roles/cloudfunctions.invoker";

/// A host that serves the private function `echoes` from its store, and an account `caller` that may call it.
#[derive(Debug)]
pub struct Served {
    /// What it serves from.
    pub state: State,
    /// The host.
    pub host: Host,
}

impl Served {
    /// Starts it.
    pub fn start() -> Self {
        let served = Self::without_invokers();
        served.succeed("iam service-accounts create caller");
        served.succeed(&format!(
            "functions add-iam-policy-binding echoes --member {ACCOUNT} --role {ROLE}"
        ));
        served
    }

    /// Starts it without the account.
    pub fn without_invokers() -> Self {
        Self::with(&[])
    }

    /// Starts it without the account, with these flags.
    pub fn with(flags: &[&str]) -> Self {
        let served = Self::serve(State::new(), flags);
        compiled::put("echoes", &served.state.path());
        served.succeed(&deploy());
        served
    }

    /// Ends the host and starts another one with these flags on the same store.
    #[must_use]
    pub fn again(self, flags: &[&str]) -> Self {
        self.host.signal(Signal::Term);
        self.host.wait(PATIENCE);
        Self::serve(self.state, flags)
    }

    fn serve(state: State, flags: &[&str]) -> Self {
        let builder = state.serve().arg("--signing-algorithm=ES256");
        let host = builder.args(flags).start();
        Self { state, host }
    }

    /// Runs a command on the store that is served.
    #[track_caller]
    pub fn run(&self, arguments: &str) -> Output {
        self.state.run(arguments)
    }

    /// What a command prints that has to succeed.
    #[track_caller]
    pub fn succeed(&self, arguments: &str) -> String {
        succeeded(self.run(arguments))
    }

    /// Where the function answers.
    pub fn url(&self) -> String {
        format!("http://{}/echoes", self.host.addr())
    }

    /// A token of `caller` for the function.
    #[track_caller]
    pub fn token(&self) -> String {
        self.succeed(&print(&self.url())).trim_end().to_owned()
    }

    /// GET on the function with this token: what it saw of the request.
    #[track_caller]
    pub fn get(&self, token: &str) -> Reply {
        self.host.get_with("/echoes/headers", token)
    }

    /// The status of that.
    #[track_caller]
    pub fn status(&self, token: &str) -> u16 {
        self.get(token).status
    }
}

/// The command that deploys the function.
pub fn deploy() -> String {
    format!(
        "functions deploy echoes --source {}",
        guest("echoes").display()
    )
}

/// The command that prints a token of `caller`.
pub fn print(audience: &str) -> String {
    format!(
        "auth print-identity-token --impersonate-service-account caller@host.internal --audiences {audience}"
    )
}

/// What a command printed that has to have succeeded.
#[track_caller]
pub fn succeeded(output: Output) -> String {
    assert_eq!(output.code, Some(0), "{output:?}");
    output.stdout
}

/// Expects that a command failed with this exit code, said this on stderr, and printed nothing.
#[track_caller]
pub fn assert_fails(output: &Output, code: i32, reason: &str) {
    assert_eq!(output.code, Some(code), "{output:?}");
    assert!(output.stderr.contains(reason), "{reason}: {output:?}");
    assert_eq!(output.stdout, "");
}
