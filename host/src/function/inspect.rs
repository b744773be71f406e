//! What a component exports, imports and needs, read without running it.

use wasmtime::Engine;
use wasmtime::component::Component;

use super::error::LoadError;
use super::limits::KIB;
use super::parts::Parts;

/// A page of WebAssembly memory, in bytes.
const PAGE: u64 = 64 * KIB;

const HANDLER: &str = "wasi:http/incoming-handler";
const CALLER: &str = "wasi:http/outgoing-handler";

/// The packages of WASI 0.2 and the interfaces of each that this host provides.
const PROVIDED: &[(&str, &[&str])] = &[
    (
        "wasi:cli",
        &[
            "environment",
            "exit",
            "stdin",
            "stdout",
            "stderr",
            "terminal-input",
            "terminal-output",
            "terminal-stdin",
            "terminal-stdout",
            "terminal-stderr",
        ],
    ),
    ("wasi:clocks", &["monotonic-clock", "wall-clock"]),
    ("wasi:filesystem", &["preopens", "types"]),
    ("wasi:http", &["outgoing-handler", "types"]),
    ("wasi:io", &["error", "poll", "streams"]),
    ("wasi:random", &["insecure", "insecure-seed", "random"]),
    (
        "wasi:sockets",
        &[
            "instance-network",
            "ip-name-lookup",
            "network",
            "tcp",
            "tcp-create-socket",
            "udp",
            "udp-create-socket",
        ],
    ),
];

/// What a component says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The names it exports, such as `wasi:http/incoming-handler@0.2.0`.
    pub exports: Vec<String>,
    /// The names it imports.
    pub imports: Vec<String>,
    /// Its largest linear memory at its start, in bytes; `None` where only running it would tell.
    pub memory: Option<u64>,
    /// What an execution of it holds of the pool.
    pub parts: Parts,
}

impl Inspection {
    pub(super) fn of(component: &Component, engine: &Engine, parts: Parts) -> Self {
        let types = component.component_type();
        let memory = component
            .resources_required()
            .map(|resources| resources.max_initial_memory_size.unwrap_or(0) * PAGE);
        Self {
            exports: types.exports(engine).map(|(name, _)| name.into()).collect(),
            imports: types.imports(engine).map(|(name, _)| name.into()).collect(),
            memory,
            parts,
        }
    }

    /// Whether it exports the HTTP handler of WASI 0.2.
    pub fn answers_http(&self) -> bool {
        self.exports.iter().any(|name| {
            interface(name).is_some_and(|(path, version)| path == HANDLER && is_0_2(version))
        })
    }

    /// Whether it may want to make HTTP requests of its own.
    pub fn calls_out(&self) -> bool {
        let mut paths = self.imports.iter().filter_map(|name| interface(name));
        paths.any(|(path, _)| path == CALLER)
    }

    /// The imports that this host does not provide.
    pub fn unknown_imports(&self) -> impl Iterator<Item = &str> {
        self.imports
            .iter()
            .map(String::as_str)
            .filter(|name| !is_provided(name))
    }

    /// Refuses a component that this host cannot run within `memory` bytes.
    ///
    /// # Errors
    /// The first reason found, with what to do.
    pub fn check(&self, memory: u64) -> Result<(), LoadError> {
        if !self.answers_http() {
            return Err(LoadError::NoHandler(self.handler_advice()));
        }
        if let Some(name) = self.unknown_imports().next() {
            return Err(LoadError::UnknownImport {
                name: name.to_owned(),
                advice: import_advice(name).to_owned(),
            });
        }
        match self.memory {
            Some(needs) if needs > memory => Err(LoadError::Memory {
                needs,
                limit: memory,
            }),
            _ => Ok(()),
        }
    }

    fn handler_advice(&self) -> String {
        let has = |prefix: &str| self.exports.iter().any(|name| name.starts_with(prefix));
        let advice = if has("wasi:cli/run") {
            "it is a command: build it as a library (crate-type cdylib) that exports the handler"
        } else if has("wasi:http/handler@0.3") {
            "it is built for WASI 0.3: build it for WASI 0.2"
        } else if has("wasi:http/incoming-handler@") {
            "it exports another version: build it against wasi:http 0.2"
        } else if self.exports.is_empty() {
            "it exports nothing"
        } else {
            return format!("it exports {}", self.exports.join(", "));
        };
        advice.to_owned()
    }
}

/// Splits `wasi:io/poll@0.2.6` into path and version.
fn interface(name: &str) -> Option<(&str, &str)> {
    name.split_once('@')
}

/// Versions 0.2.x that are released, candidates excluded: they link with each other (semver).
fn is_0_2(version: &str) -> bool {
    version
        .strip_prefix("0.2.")
        .is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|byte| byte.is_ascii_digit()))
}

fn is_provided(name: &str) -> bool {
    let Some((path, version)) = interface(name) else {
        return false;
    };
    let Some((package, interface)) = path.split_once('/') else {
        return false;
    };
    is_0_2(version)
        && PROVIDED
            .iter()
            .any(|(known, interfaces)| *known == package && interfaces.contains(&interface))
}

fn import_advice(name: &str) -> &'static str {
    if name.starts_with("wasi:") && name.contains("@0.3") {
        "build the component for WASI 0.2"
    } else if name.starts_with("wasi:") {
        "this host provides wasi:cli, clocks, filesystem, http, io, random and sockets of version 0.2"
    } else if name.starts_with("fermyon:") || name.starts_with("spin:") {
        "it is Spin's own: run the component with Spin, or build it against WASI alone"
    } else if name.starts_with("wasmcloud:") {
        "it is wasmCloud's own: run the component with wasmCloud, or build it against WASI alone"
    } else {
        "build the component without it, or compose it with a component that exports it (`wac plug`)"
    }
}

#[cfg(test)]
mod tests {
    use super::super::limits::MIB;
    use super::*;

    fn inspection(exports: &[&str], imports: &[&str]) -> Inspection {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Inspection {
            exports: owned(exports),
            imports: owned(imports),
            memory: Some(2 * MIB),
            parts: Parts::default(),
        }
    }

    const HELLO: &str = "wasi:http/incoming-handler@0.2.0";

    #[test]
    fn any_release_of_wasi_0_2_will_do() {
        let imports = [
            "wasi:io/poll@0.2.0",
            "wasi:cli/stdout@0.2.6",
            "wasi:http/types@0.2.12",
        ];
        assert!(inspection(&[HELLO], &imports).check(2 * MIB).is_ok());
    }

    #[test]
    fn candidates_and_other_versions_will_not() {
        for name in [
            "wasi:io/poll@0.2.0-rc-2023-11-10",
            "wasi:io/poll@0.3.0",
            "wasi:io/poll",
        ] {
            let refused = inspection(&[HELLO], &[name]).check(2 * MIB).unwrap_err();
            assert!(refused.to_string().contains(name), "{refused}");
        }
    }

    #[test]
    fn the_refusal_names_the_import_and_what_to_do() {
        let refused = inspection(&[HELLO], &["fermyon:spin/redis@2.0.0"]).check(2 * MIB);
        let line = refused.unwrap_err().to_string();
        assert!(
            line.contains("fermyon:spin/redis@2.0.0")
                && line.contains("run the component with Spin")
        );
        assert!(!line.contains('\n'));
    }

    #[test]
    fn a_command_is_told_to_become_a_library() {
        let refused = inspection(&["wasi:cli/run@0.2.6"], &[]).check(2 * MIB);
        assert!(
            refused
                .unwrap_err()
                .to_string()
                .contains("crate-type cdylib")
        );
    }

    #[test]
    fn memory_at_the_start_over_the_limit_is_refused_with_the_flag_that_allows_it() {
        let refused = inspection(&[HELLO], &[]).check(MIB).unwrap_err();
        assert!(refused.to_string().ends_with("--memory 2Mi"), "{refused}");
    }
}
