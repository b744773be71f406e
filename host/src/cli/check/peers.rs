//! Which other hosts would take a component, by what each links, version by version.
//!
//! Found by trying wasmtime 49 and wash 2.10 with one import after the other, and in the sources of Spin 4.1. All three link
//! the releases of WASI 0.2 with each other, and those of WASI 0.3, as this host does.

mod tables;

use std::fmt;

use serde_json::{Value, json};

use host_sandbox::inspection::{Inspection, InterfaceName, is_provided};
use tables::{Links, Needs, PEERS, Peer, WASI};

/// What a host would do with a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Takes,
    /// With these flags on its command line.
    TakesWithFlags(String),
    /// With these entries in what it is configured by.
    TakesWithSettings(String),
    Refuses(String),
}

/// The verdict of each.
pub(super) fn verdicts(inspection: &Inspection) -> impl Iterator<Item = (&'static str, Verdict)> {
    PEERS
        .iter()
        .map(|peer| (peer.name, peer.verdict(inspection)))
}

impl Peer {
    fn verdict(&self, inspection: &Inspection) -> Verdict {
        let exports = &inspection.exports;
        if !exports.iter().any(|name| is_among(self.handlers, name)) {
            return Verdict::Refuses(no_handler(exports));
        }
        match inspection.imports.iter().find(|name| !self.links(name)) {
            Some(name) => Verdict::Refuses(self.unknown(name)),
            None => self.takes(&inspection.imports),
        }
    }

    fn links(&self, name: &str) -> bool {
        is_among(self.links, name)
            || InterfaceName::parse(name).is_some_and(|parsed| {
                let version = parsed.version.unwrap_or_default();
                WASI.contains(&parsed.package)
                    && (is_provided(name) || self.candidates.contains(&version))
            })
    }

    /// It has all that is imported; what it has to be told for that, in the order of its table.
    fn takes(&self, imports: &[String]) -> Verdict {
        let used = self.links.iter().filter(|links| {
            let mut names = imports.iter().filter_map(|name| InterfaceName::parse(name));
            names.any(|name| links.has(&name))
        });
        let (mut flags, mut packages) = (Vec::new(), Vec::new());
        for links in used {
            match links.needs {
                Needs::Nothing => {}
                Needs::Flag(flag) if flags.contains(&flag) => {}
                Needs::Flag(flag) => flags.push(flag),
                Needs::HostInterface if packages.contains(&links.package) => {}
                Needs::HostInterface => packages.push(links.package),
            }
        }
        if !flags.is_empty() {
            Verdict::TakesWithFlags(flags.join(" "))
        } else if !packages.is_empty() {
            let packages = packages.join(", ");
            Verdict::TakesWithSettings(format!("hostInterfaces entries for {packages}"))
        } else {
            Verdict::Takes
        }
    }

    /// Why the import `name` is refused, with the versions of it that are linked, if any are.
    fn unknown(&self, name: &str) -> String {
        let Some(import) = InterfaceName::parse(name) else {
            return format!("it imports {name}");
        };
        let others = self.links.iter().filter(|links| links.names(&import));
        let versions: Vec<_> = others
            .map(|links| links.version)
            .filter(|version| !version.is_empty())
            .collect();
        if !versions.is_empty() {
            let versions = versions.join(" and ");
            format!("it imports {name}; {} links version {versions}", self.name)
        } else if import.is_prerelease() && import.package.starts_with("wasi:") {
            format!("it imports {name}, which is no release")
        } else {
            format!("it imports {name}")
        }
    }
}

impl Links {
    /// Whether this is about the interface `name`, of whatever version.
    fn names(&self, name: &InterfaceName<'_>) -> bool {
        self.package == name.package
            && (self.interfaces.is_empty() || self.interfaces.contains(&name.interface))
    }

    fn has(&self, name: &InterfaceName<'_>) -> bool {
        self.names(name) && name.links_with(self.version)
    }
}

fn is_among(links: &[Links], name: &str) -> bool {
    InterfaceName::parse(name).is_some_and(|name| links.iter().any(|links| links.has(&name)))
}

fn no_handler(exports: &[String]) -> String {
    let other = exports.iter().find(|name| {
        name.starts_with("wasi:http/handler@") || name.starts_with("wasi:http/incoming-handler@")
    });
    match other {
        Some(name) => format!("it exports {name}, a version that it does not call"),
        None => "it exports no wasi:http/incoming-handler@0.2 or wasi:http/handler@0.3".into(),
    }
}

impl Verdict {
    pub(super) fn value(&self) -> Value {
        match self {
            Self::Takes => json!({"takes": true}),
            Self::TakesWithFlags(flags) => json!({"takes": true, "flags": flags}),
            Self::TakesWithSettings(settings) => json!({"takes": true, "settings": settings}),
            Self::Refuses(reason) => json!({"takes": false, "reason": reason}),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Takes => f.write_str("yes"),
            Self::TakesWithFlags(with) | Self::TakesWithSettings(with) => {
                write!(f, "yes, with {with}")
            }
            Self::Refuses(reason) => write!(f, "no: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use host_sandbox::inspection::Parts;

    /// What each says, in the order of the table, of a component with this handler.
    fn all(handler: &str, imports: &[&str]) -> [String; 3] {
        let inspection = Inspection {
            exports: vec![handler.into()],
            imports: imports.iter().map(|&name| name.into()).collect(),
            memory: None,
            parts: Parts::default(),
            data: 0,
        };
        let said: Vec<_> = verdicts(&inspection)
            .map(|(_, verdict)| verdict.to_string())
            .collect();
        said.try_into().expect("there are three")
    }

    fn said(imports: &[&str]) -> [String; 3] {
        all("wasi:http/incoming-handler@0.2.0", imports)
    }

    #[test]
    fn a_component_of_wasi_alone_is_taken_by_all() {
        let imports = ["wasi:io/streams@0.2.6", "wasi:cli/stdout@0.2.6"];
        assert_eq!(said(&imports), ["yes", "yes", "yes"]);
        // What is outside of the proxy world.
        for name in [
            "wasi:cli/environment@0.2.6",
            "wasi:random/insecure-seed@0.2.12",
            "wasi:sockets/tcp@0.2.0",
        ] {
            assert_eq!(said(&[name]), ["yes, with -S cli", "yes", "yes"], "{name}");
        }
        assert_eq!(
            said(&["wasi:clocks/timezone@0.2.0"])[0],
            "no: it imports wasi:clocks/timezone@0.2.0"
        );
    }

    #[test]
    fn settings_and_a_store_of_keys_are_linked_in_one_draft_each() {
        let imports = [
            "wasi:cli/environment@0.2.12",
            "wasi:keyvalue/store@0.2.0-draft",
            "wasi:config/store@0.2.0-rc.1",
        ];
        assert_eq!(
            said(&imports),
            [
                "yes, with -S cli -S config -S keyvalue",
                "no: it imports wasi:keyvalue/store@0.2.0-draft; Spin links version 0.2.0-draft2",
                "yes, with hostInterfaces entries for wasi:config, wasi:keyvalue",
            ]
        );
        let imports = [
            "wasi:config/store@0.2.0-draft-2024-09-27",
            "wasi:keyvalue/atomics@0.2.0-draft2",
        ];
        let refused = "it imports wasi:config/store@0.2.0-draft-2024-09-27";
        assert_eq!(
            said(&imports),
            [
                format!("no: {refused}; wasmtime serve links version 0.2.0-rc.1"),
                "yes".into(),
                format!("no: {refused}; wasmCloud links version 0.2.0-rc.1"),
            ]
        );
        // No one has a release of them, nor what only watches.
        for name in [
            "wasi:config/store@0.2.0",
            "wasi:keyvalue/store@0.2.0",
            "wasi:keyvalue/watcher@0.2.0-draft",
        ] {
            let verdicts = said(&[name]);
            assert!(
                verdicts.iter().all(|verdict| verdict.starts_with("no: ")),
                "{name}"
            );
        }
    }

    #[test]
    fn what_is_one_hosts_own_is_refused_by_the_others() {
        for name in [
            "fermyon:spin/redis@2.0.0",
            "fermyon:spin/llm@2.0.0",
            "spin:sqlite/sqlite@3.0.0",
        ] {
            let refused = format!("no: it imports {name}");
            assert_eq!(said(&[name]), [&refused, "yes", &refused]);
        }
        let name = "wasmcloud:messaging/consumer@0.2.0";
        let refused = format!("no: it imports {name}");
        let taken = "yes, with hostInterfaces entries for wasmcloud:messaging";
        assert_eq!(said(&[name]), [&refused, &refused, taken]);
        let [_, spin, _] = said(&["fermyon:spin/redis@3.0.0"]);
        assert_eq!(
            spin,
            "no: it imports fermyon:spin/redis@3.0.0; Spin links version 2.0.0"
        );
    }

    #[test]
    fn wasi_0_3_is_taken_by_all_and_its_candidate_by_the_one_that_keeps_it() {
        let handler = "wasi:http/handler@0.3.2";
        assert_eq!(all(handler, &["wasi:http/client@0.3.0"]), ["yes"; 3]);
        let imports = ["wasi:http/types@0.3.2", "wasi:cli/exit@0.2.6"];
        assert_eq!(all(handler, &imports), ["yes, with -S cli", "yes", "yes"]);
        let imports = ["wasi:filesystem/types@0.3.0"];
        assert_eq!(all(handler, &imports), ["yes, with -S cli", "yes", "yes"]);

        let handler = "wasi:http/handler@0.3.0-rc-2026-03-15";
        let refused = format!("no: it exports {handler}, a version that it does not call");
        let imports = ["wasi:http/types@0.3.0-rc-2026-03-15"];
        assert_eq!(all(handler, &imports), [&refused, "yes", &refused]);
        let handler = "wasi:http/handler@0.3.0-rc-2026-01-06";
        let refused = format!("no: it exports {handler}, a version that it does not call");
        assert_eq!(all(handler, &imports), [&*refused; 3]);
        let [_, _, wash] = said(&["wasi:clocks/system-clock@0.3.0-rc-2026-03-15"]);
        assert!(wash.ends_with(", which is no release"), "{wash}");
    }

    #[test]
    fn what_answers_no_requests_is_taken_by_none() {
        let refused = "no: it exports no wasi:http/incoming-handler@0.2 or wasi:http/handler@0.3";
        assert_eq!(all("wasi:cli/run@0.2.0", &[]), [refused; 3]);
    }
}
