//! Which other hosts would take a component, by what each provides.
//!
//! Read in the sources of wasmtime 49, Spin 4.1 and wasmCloud 2.10. All three link the releases of WASI 0.2 with each
//! other, as this host does.

use std::fmt;

use serde_json::{Value, json};

use crate::function::Inspection;

/// What a host would do with a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Takes,
    TakesWith(&'static str),
    Refuses(String),
}

struct Peer {
    name: &'static str,
    /// Interfaces beyond WASI 0.2, by the beginning of their names.
    provides: &'static [&'static str],
    /// What must be said for `wasi:cli` and its like to be linked.
    cli_flag: Option<&'static str>,
}

const PEERS: &[Peer] = &[
    Peer {
        name: "wasmtime serve",
        provides: &["wasi:config/", "wasi:keyvalue/"],
        cli_flag: Some("-S cli"),
    },
    Peer {
        name: "Spin",
        provides: &["fermyon:spin/", "spin:", "wasi:config/", "wasi:keyvalue/"],
        cli_flag: None,
    },
    Peer {
        name: "wasmCloud",
        provides: &[
            "wasi:blobstore/",
            "wasi:config/",
            "wasi:keyvalue/",
            "wasi:logging/",
            "wasmcloud:",
        ],
        cli_flag: None,
    },
];

/// The verdict of each.
pub(super) fn verdicts(inspection: &Inspection) -> impl Iterator<Item = (&'static str, Verdict)> {
    PEERS
        .iter()
        .map(|peer| (peer.name, peer.verdict(inspection)))
}

impl Peer {
    fn verdict(&self, inspection: &Inspection) -> Verdict {
        if !inspection.answers_http() {
            return Verdict::Refuses("it exports no wasi:http/incoming-handler@0.2".into());
        }
        let unknown = inspection
            .unknown_imports()
            .find(|name| !self.provides.iter().any(|prefix| name.starts_with(prefix)));
        if let Some(name) = unknown {
            return Verdict::Refuses(format!("it imports {name}"));
        }
        match self.cli_flag {
            Some(flag) if inspection.imports.iter().any(|name| needs_cli(name)) => {
                Verdict::TakesWith(flag)
            }
            _ => Verdict::Takes,
        }
    }
}

/// What is outside the `wasi:http/proxy` world: a std guest's environment, files and exit code.
fn needs_cli(name: &str) -> bool {
    [
        "wasi:cli/environment",
        "wasi:cli/exit",
        "wasi:cli/terminal",
        "wasi:filesystem/",
        "wasi:sockets/",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}

impl Verdict {
    pub(super) fn value(&self) -> Value {
        match self {
            Self::Takes => json!({"takes": true}),
            Self::TakesWith(flag) => json!({"takes": true, "flags": flag}),
            Self::Refuses(reason) => json!({"takes": false, "reason": reason}),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Takes => f.write_str("yes"),
            Self::TakesWith(flag) => write!(f, "yes, with {flag}"),
            Self::Refuses(reason) => write!(f, "no: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::Parts;

    fn verdict(peer: &str, imports: &[&str]) -> Verdict {
        let inspection = Inspection {
            exports: vec!["wasi:http/incoming-handler@0.2.0".into()],
            imports: imports.iter().map(|&name| name.into()).collect(),
            memory: None,
            parts: Parts::default(),
        };
        verdicts(&inspection)
            .find(|(name, _)| *name == peer)
            .map(|(_, verdict)| verdict)
            .unwrap()
    }

    #[test]
    fn a_component_of_wasi_alone_is_taken_by_all() {
        let imports = ["wasi:cli/environment@0.2.6", "wasi:io/streams@0.2.6"];
        assert_eq!(verdict("Spin", &imports), Verdict::Takes);
        assert_eq!(verdict("wasmCloud", &imports), Verdict::Takes);
        assert_eq!(
            verdict("wasmtime serve", &imports),
            Verdict::TakesWith("-S cli")
        );
    }

    #[test]
    fn what_is_one_hosts_own_is_refused_by_the_others() {
        let imports = ["fermyon:spin/redis@2.0.0"];
        assert_eq!(verdict("Spin", &imports), Verdict::Takes);
        let refused = Verdict::Refuses("it imports fermyon:spin/redis@2.0.0".into());
        assert_eq!(verdict("wasmCloud", &imports), refused);
    }
}
