//! What a component exports, imports and needs, read without running it.

use super::declared::Declared;
use super::error::LoadError;
use super::generation::Generation;
use super::interface::InterfaceName;
use super::interfaces;
use super::limits::MIB;
use super::parts::Parts;
use super::provided::is_provided;

const HTTP: &str = "wasi:http";

/// Toolchains that build for the release of WASI 0.3, where an earlier one builds for a candidate.
const RELEASED_TOOLCHAINS: &str =
    "wasip3 0.10 with wit-bindgen 0.63, spin-sdk 7 or componentize-py 0.25";

/// See [`Inspection::starts_full`].
const MUCH_DATA: u64 = 2 * MIB;

/// What a component says of itself.
///
/// ```
/// use host_sandbox::{Sandbox, SandboxConfig};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let component = wat::parse_file("examples/hello.wat")?;
/// let sandbox = Sandbox::new(SandboxConfig::default())?;
/// let inspection = sandbox.inspect_bytes(&component, None)?;
/// assert!(inspection.answers_http() && !inspection.calls_out());
/// assert_eq!(inspection.unknown_imports().count(), 0);
/// // It has one page of memory, which is more than this.
/// assert!(inspection.check(1024).is_err());
/// # Ok(())
/// # }
/// ```
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
    /// What it fills memory with at its start, in bytes.
    pub data: u64,
}

impl Inspection {
    /// What the component `wasm` says of itself, read without compiling it.
    ///
    /// # Errors
    /// If it is damaged, has no code, or has more parts than an execution may hold.
    pub(crate) fn of(wasm: &[u8]) -> Result<Self, LoadError> {
        let parts = Parts::of(wasm);
        parts.check()?;
        let Declared {
            exports,
            imports,
            memory,
            data,
        } = Declared::read(wasm)?;
        Ok(Self {
            exports,
            imports,
            memory,
            parts,
            data,
        })
    }

    /// Whether memory full of data is what it starts with, as an interpreter does whose start was run beforehand.
    pub(crate) fn starts_full(&self) -> bool {
        let memory = self.memory.unwrap_or(u64::MAX);
        // Each place of that pool has one memory.
        self.parts.memories == 1 && self.data >= MUCH_DATA && self.data >= memory / 2
    }

    /// Which HTTP handler of it is called: that of WASI 0.3 where it exports both; `None` if it exports none.
    pub fn handler(&self) -> Option<Generation> {
        let handlers = [
            (Generation::Wasi03, "handler"),
            (Generation::Wasi02, "incoming-handler"),
        ];
        let exported = handlers.into_iter().find(|(generation, interface)| {
            has(&self.exports, interface, |name| {
                name.links_with(generation.release())
            })
        });
        exported.map(|(generation, _)| generation)
    }

    /// What it runs on: whatever of it is of WASI 0.3 needs a host of that.
    pub fn generation(&self) -> Generation {
        let released = Generation::Wasi03.release();
        let mut names = self.exports.iter().chain(&self.imports);
        let is_any = names.any(|name| {
            InterfaceName::parse(name)
                .is_some_and(|name| name.package.starts_with("wasi:") && name.links_with(released))
        });
        match is_any {
            true => Generation::Wasi03,
            false => Generation::Wasi02,
        }
    }

    /// Whether it exports an HTTP handler that this host calls.
    pub fn answers_http(&self) -> bool {
        self.handler().is_some()
    }

    /// Whether it may want to make HTTP requests of its own.
    pub fn calls_out(&self) -> bool {
        let makes_requests = ["outgoing-handler", "client"];
        makes_requests
            .iter()
            .any(|interface| has(&self.imports, interface, |_| true))
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
            return Err(match self.exported("wasi:http/handler@") {
                Some(handler) => {
                    let (generation, advice) = other_generation(handler);
                    LoadError::OtherWasi {
                        generation,
                        handler: handler.to_owned(),
                        advice,
                    }
                }
                None => LoadError::NoHandler(self.handler_advice()),
            });
        }
        if let Some(name) = self.unknown_imports().next() {
            return Err(LoadError::UnknownImport {
                name: name.to_owned(),
                advice: import_advice(name),
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

    /// The first export whose name begins so.
    fn exported(&self, prefix: &str) -> Option<&str> {
        let mut names = self.exports.iter().map(String::as_str);
        names.find(|name| name.starts_with(prefix))
    }

    fn handler_advice(&self) -> String {
        let advice = if self.exported("wasi:cli/run").is_some() {
            "it is a command: build it as a library (crate-type cdylib) that exports the handler"
        } else if self.exported("wasi:http/incoming-handler@").is_some() {
            "it exports another version: build it against wasi:http 0.2 or 0.3"
        } else if self.exports.is_empty() {
            "it exports nothing"
        } else {
            return format!("it exports {}", self.exports.join(", "));
        };
        advice.to_owned()
    }
}

/// Whether an interface of wasi:http is among `names`, as one that `is_meant`.
fn has(names: &[String], interface: &str, is_meant: impl Fn(&InterfaceName<'_>) -> bool) -> bool {
    let mut names = names.iter().filter_map(|name| InterfaceName::parse(name));
    names.any(|name| name.package == HTTP && name.interface == interface && is_meant(&name))
}

/// What of WASI the handler `name` belongs to, in words, and what to do.
fn other_generation(name: &str) -> (&'static str, String) {
    match name.contains("@0.3.0-rc") {
        true => ("a release candidate of WASI 0.3", released_advice()),
        false => (
            "another version of WASI",
            "build it for WASI 0.2 or 0.3".to_owned(),
        ),
    }
}

fn released_advice() -> String {
    format!("build it for the release, as {RELEASED_TOOLCHAINS} do")
}

fn import_advice(name: &str) -> String {
    let parsed = InterfaceName::parse(name);
    if let Some(mut versions) = parsed.and_then(|name| interfaces::versions(&name)) {
        let first = versions.next().unwrap_or_default();
        let versions = versions.fold(first.to_owned(), |list, next| list + " and " + next);
        return format!("build it against version {versions}, which this host provides");
    }
    let advice = if name.starts_with("wasi:") && name.contains("@0.3.0-rc") {
        return format!(
            "it is of a release candidate of WASI 0.3: {}",
            released_advice()
        );
    } else if name.starts_with("wasi:") && name.contains("-rc") {
        "it is of a release candidate: build the component against the release of WASI 0.2"
    } else if name.starts_with("wasi:") {
        "this host provides wasi:cli, clocks, filesystem, http, io, random and sockets of version 0.2, all but io of 0.3, \
         wasi:config, keyvalue and logging"
    } else if name.starts_with("fermyon:") || name.starts_with("spin:") {
        "it is Spin's own: run the component with Spin, or build it against WASI alone"
    } else if name.starts_with("wasmcloud:") {
        "it is wasmCloud's own: run the component with wasmCloud, or build it against WASI alone"
    } else {
        "build the component without it, or compose it with a component that exports it (`wac plug`)"
    };
    advice.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inspection(exports: &[&str], imports: &[&str]) -> Inspection {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Inspection {
            exports: owned(exports),
            imports: owned(imports),
            memory: Some(2 * MIB),
            parts: Parts::default(),
            data: 0,
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
            "wasi:clocks/types@0.3.0-rc-2026-03-15",
            "wasi:http/handler@0.3.0",
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
    fn a_handler_of_wasi_0_3_is_called_even_beside_one_of_0_2() {
        for exports in [
            &["wasi:http/handler@0.3.2"][..],
            &[HELLO, "wasi:http/handler@0.3.0"],
        ] {
            let both = inspection(exports, &["wasi:http/types@0.3.0", "wasi:io/poll@0.2.6"]);
            assert!(both.check(2 * MIB).is_ok());
            assert_eq!(both.handler(), Some(Generation::Wasi03));
        }
    }

    #[test]
    fn a_handler_of_wasi_0_2_with_an_import_of_0_3_runs_where_that_is() {
        let mixed = inspection(&[HELLO], &["wasi:clocks/monotonic-clock@0.3.0"]);
        assert!(mixed.check(2 * MIB).is_ok());
        assert_eq!(mixed.handler(), Some(Generation::Wasi02));
        assert_eq!(mixed.generation(), Generation::Wasi03);
        let of_0_2 = inspection(&[HELLO], &["wasi:clocks/monotonic-clock@0.2.0"]);
        assert_eq!(of_0_2.generation(), Generation::Wasi02);
    }

    #[test]
    fn a_release_candidate_is_named_as_one_with_toolchains_of_the_release() {
        for (handler, generation, advice) in [
            (
                "wasi:http/handler@0.3.0-rc-2026-03-15",
                "built for a release candidate of WASI 0.3:",
                RELEASED_TOOLCHAINS,
            ),
            (
                "wasi:http/handler@0.4.0",
                "built for another version of WASI:",
                "build it for WASI 0.2 or 0.3",
            ),
        ] {
            let refused = inspection(&[handler], &[]).check(2 * MIB).unwrap_err();
            let line = refused.to_string();
            assert!(
                line.contains(handler) && line.contains(generation),
                "{line}"
            );
            assert!(line.contains(advice) && !line.contains('\n'), "{line}");
        }
    }

    #[test]
    fn another_draft_is_refused_with_those_that_are_provided() {
        for (import, advice) in [
            (
                "wasi:config/store@0.2.0",
                "against version 0.2.0-rc.1, which",
            ),
            (
                "wasi:keyvalue/store@0.2.0-draft3",
                "against version 0.2.0-draft and 0.2.0-draft2, which",
            ),
            (
                "wasi:logging/logging@0.1.0",
                "against version 0.1.0-draft, which",
            ),
            (
                "wasi:keyvalue/watcher@0.2.0-draft",
                "wasi:config, keyvalue and logging",
            ),
        ] {
            let refused = inspection(&[HELLO], &[import]).check(2 * MIB).unwrap_err();
            let line = refused.to_string();
            assert!(line.contains(import) && line.contains(advice), "{line}");
        }
        let provided = [
            "wasi:keyvalue/atomics@0.2.0-draft2",
            "wasi:config/store@0.2.0-rc.1",
        ];
        assert!(inspection(&[HELLO], &provided).check(2 * MIB).is_ok());
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
    fn memory_at_the_start_over_the_limit_is_refused_with_both_figures() {
        let refused = inspection(&[HELLO], &[]).check(MIB).unwrap_err();
        assert!(
            refused
                .to_string()
                .ends_with("2 MiB of memory, over its limit of 1 MiB"),
            "{refused}"
        );
    }
}
