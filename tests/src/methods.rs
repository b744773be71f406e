//! The methods of a host's control plane, called over its listener.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{Host, Reply, State, Wire};

impl State {
    /// A token of the owner.
    #[track_caller]
    pub fn access_token(&self) -> String {
        self.printed_token(&[])
    }

    /// A token of a service account.
    #[track_caller]
    pub fn access_token_of(&self, email: &str) -> String {
        self.printed_token(&["--impersonate-service-account", email])
    }

    #[track_caller]
    fn printed_token(&self, arguments: &[&str]) -> String {
        let output = self
            .command(["auth", "print-access-token"])
            .args(arguments)
            .run();
        assert_eq!(output.code, Some(0), "{output:?}");
        output.stdout.trim().to_owned()
    }
}

impl Host {
    /// Calls a method: `head` is its verb and path, with further fields on lines of their own.
    #[track_caller]
    pub fn method(&self, token: Option<&str>, head: &str, body: impl AsRef<[u8]>) -> Reply {
        let mut wire = Wire::connect(self.admin_addr());
        let (first, fields) = head.split_once('\n').unwrap_or((head, ""));
        let mut fields: String = fields.lines().fold(String::new(), |mut all, field| {
            let _ = write!(all, "{}\r\n", field.trim());
            all
        });
        if let Some(token) = token {
            let _ = write!(fields, "Authorization: Bearer {token}\r\n");
        }
        let body = body.as_ref();
        wire.send(format!(
            "{first} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n{fields}\r\n",
            self.admin_addr(),
            body.len()
        ));
        // It may be refused before all of it was sent.
        let _ = wire.try_send(body);
        wire.read_reply()
    }

    /// As [`method`](Self::method), of one that works: what it answers.
    #[track_caller]
    pub fn called(&self, token: &str, head: &str, body: &Value) -> Value {
        let text = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let reply = self.method(Some(token), head, text);
        assert_eq!(reply.status, 200, "{head}: {}", reply.text());
        reply.json()
    }
}
