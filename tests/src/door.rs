//! A private function at whose door tokens are shown, one after another.

use serde_json::{Value, json};

use crate::{AUDIENCE, BAD_TOKEN, Host, Issuer, Output, Reply, State, assert_refused, guest};

/// A host that serves `f`, which `ada` of its issuer may call with a token for [`AUDIENCE`].
#[derive(Debug)]
pub struct Door {
    /// The issuer that it trusts.
    pub issuer: Issuer,
    /// The host.
    pub host: Host,
    state: State,
}

impl Door {
    /// With an issuer of its own and the settings that are usual.
    #[track_caller]
    pub fn start() -> Self {
        Self::of(Issuer::start(), "")
    }

    /// With `issuer`, which publishes what it will, and these lines below `[issuers.it]`.
    #[track_caller]
    pub fn of(issuer: Issuer, settings: &str) -> Self {
        let state = State::new();
        let text = format!(
            "[issuers.it]\nurl = {:?}\n{settings}\n\n[functions.f]\nsource = {:?}\n\
             audiences = [{AUDIENCE:?}]\ninvokers = [{:?}]\n",
            issuer.url(),
            guest("echoes"),
            issuer.principal("ada"),
        );
        let config = state.file("host.toml", text);
        let builder = state.serve().arg("--signing-algorithm=ES256");
        let host = builder.arg("--config").arg(config).start();
        host.wait_for_keys_of(&issuer);
        Self {
            issuer,
            host,
            state,
        }
    }

    /// Runs a command on the store of the host.
    #[track_caller]
    pub fn run(&self, arguments: &str) -> Output {
        self.state.run(arguments)
    }

    /// Claims of `ada` that are good, but for these; null leaves one out.
    pub fn claims(&self, changes: Value) -> Value {
        changed(self.issuer.claims("ada", AUDIENCE), changes)
    }

    /// A token of the issuer's own key with such claims.
    pub fn token(&self, changes: Value) -> String {
        self.issuer.key().sign(&self.claims(changes))
    }

    /// Shows a token.
    #[track_caller]
    pub fn show(&self, token: &str) -> Reply {
        self.host.get_with("/f", token)
    }

    /// Expects that `token` opens it.
    #[track_caller]
    pub fn opens(&self, token: &str, what: &str) {
        let reply = self.show(token);
        let why = match reply.status {
            200 => String::new(),
            _ => self.entry(&reply),
        };
        assert_eq!(reply.status, 200, "{what}: {why}");
    }

    /// Expects that `token` is refused by the guard that the log knows as `guard`, and answers what else the log says.
    #[track_caller]
    pub fn refuses(&self, token: &str, guard: &str, what: &str) -> String {
        let reply = self.show(token);
        assert_refused(&reply, 401, BAD_TOKEN);
        let entry = self.entry(&reply);
        let named = format!("its token is refused ({guard}): ");
        assert!(
            entry.contains(&named),
            "{what}: {guard} was to refuse it: {entry}"
        );
        entry
    }

    #[track_caller]
    fn entry(&self, reply: &Reply) -> String {
        let id = reply.execution_id();
        self.host
            .wait_for_log(|line| line.contains(id) && line.contains("refused"))
    }
}

/// `object` with these members in place of its own; null stands for none, and `{"value": null}` for null.
fn changed(mut object: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().into_iter().flatten() {
        match value {
            Value::Null => drop(
                object
                    .as_object_mut()
                    .and_then(|object| object.remove(name)),
            ),
            value if *value == json!({"value": null}) => object[name] = Value::Null,
            value => object[name] = value.clone(),
        }
    }
    object
}
