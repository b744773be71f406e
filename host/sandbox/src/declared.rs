//! What a component declares to the outside, read from its bytes before anything is compiled.

use wasmparser::{
    ComponentExternalKind, ComponentTypeRef, MemoryType, Parser, Payload, Result, TypeBounds,
};

use super::error::LoadError;
use super::limits::KIB;

/// A page of WebAssembly memory, in bytes.
const PAGE: u64 = 64 * KIB;

/// How many names a component may import and export. Those of real ones are counted in tens, and a file could be nothing
/// but names.
const MOST_NAMES: usize = 10_000;

/// The names that a component exports and imports, and the memory that it starts with.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Declared {
    pub(crate) exports: Vec<String>,
    pub(crate) imports: Vec<String>,
    /// Its largest linear memory at its start, in bytes; `None` where a module of it comes from elsewhere.
    pub(crate) memory: Option<u64>,
    /// What it fills memory with at its start, in bytes.
    pub(crate) data: u64,
}

impl Declared {
    /// Reads the component `wasm`.
    ///
    /// # Errors
    /// If it is damaged, or has no code at all.
    pub(crate) fn read(wasm: &[u8]) -> std::result::Result<Self, LoadError> {
        let mut reading = Reading::default();
        for payload in Parser::new(0).parse_all(wasm) {
            payload
                .and_then(|payload| reading.take(payload))
                .map_err(|error| LoadError::Compile(error.to_string()))?;
            let names = reading.exports.len() + reading.imports.len();
            if names > MOST_NAMES {
                let reason = format!("it exports and imports more than {MOST_NAMES} names");
                return Err(LoadError::Compile(reason));
            }
        }
        if reading.exports_types && reading.exports.is_empty() && !reading.has_code {
            return Err(LoadError::WitPackage);
        }
        Ok(Self {
            exports: reading.exports,
            imports: reading.imports,
            memory: (!reading.imports_modules).then_some(reading.memory),
            data: reading.data,
        })
    }
}

/// A component as far as it is read.
#[derive(Default)]
struct Reading {
    /// How many modules and components stand around what is read.
    depth: usize,
    exports: Vec<String>,
    imports: Vec<String>,
    memory: u64,
    data: u64,
    has_code: bool,
    exports_types: bool,
    imports_modules: bool,
}

impl Reading {
    fn take(&mut self, payload: Payload<'_>) -> Result<()> {
        match payload {
            Payload::ModuleSection { .. } => {
                self.has_code = true;
                self.depth += 1;
            }
            Payload::ComponentSection { .. } => self.depth += 1,
            Payload::End(_) => self.depth = self.depth.saturating_sub(1),
            Payload::MemorySection(section) => {
                for memory in section {
                    self.memory = self.memory.max(bytes_at_start(&memory?));
                }
            }
            Payload::DataSection(section) => {
                for data in section {
                    self.data += data?.data.len() as u64;
                }
            }
            Payload::ComponentImportSection(section) if self.depth == 0 => {
                for import in section.into_iter().take(MOST_NAMES + 1) {
                    let import = import?;
                    match import.ty {
                        // A name for a type of another import: there is nothing to link.
                        ComponentTypeRef::Type(TypeBounds::Eq(_)) => {}
                        ty => {
                            self.imports_modules |= matches!(
                                ty,
                                ComponentTypeRef::Module(_) | ComponentTypeRef::Component(_)
                            );
                            self.imports.push(import.name.name.to_owned());
                        }
                    }
                }
            }
            Payload::ComponentExportSection(section) if self.depth == 0 => {
                for export in section.into_iter().take(MOST_NAMES + 1) {
                    let export = export?;
                    match export.kind {
                        ComponentExternalKind::Type => self.exports_types = true,
                        _ => self.exports.push(export.name.name.to_owned()),
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn bytes_at_start(memory: &MemoryType) -> u64 {
    let page = memory
        .page_size_log2
        .map_or(PAGE, |log2| 1_u64.checked_shl(log2).unwrap_or(PAGE));
    memory.initial.saturating_mul(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> std::result::Result<Declared, LoadError> {
        Declared::read(&wat::parse_str(text).expect("it is a component"))
    }

    #[test]
    fn names_of_the_component_itself_are_read_and_none_of_what_stands_in_it() {
        let declared = read(
            "(component
               (import \"a:b/c@1.0.0\" (instance $i (export \"t\" (type (sub resource)))))
               (alias export $i \"t\" (type $t))
               (import \"t\" (type (eq $t)))
               (component (import \"a:b/inner\" (instance)) (component))
               (core module (memory 3) (data (i32.const 8) \"four\") (data (i32.const 0) \"more\"))
               (core module (memory 2))
               (instance $e)
               (export \"a:b/d@1.0.0\" (instance $e)))",
        )
        .expect("it is read");
        assert_eq!(declared.imports, ["a:b/c@1.0.0"]);
        assert_eq!(declared.exports, ["a:b/d@1.0.0"]);
        assert_eq!((declared.memory, declared.data), (Some(3 * PAGE), 8));
    }

    #[test]
    fn memory_is_not_known_of_modules_that_come_from_elsewhere() {
        let declared = read("(component (import \"m\" (core module)))").expect("it is read");
        assert_eq!(declared.memory, None);
    }

    #[test]
    fn a_package_of_interfaces_is_told_from_a_component() {
        let package = "(component (type $t (component)) (export \"a:b/c\" (type $t)))";
        assert!(matches!(read(package), Err(LoadError::WitPackage)));
        assert!(read("(component)").is_ok());
    }

    #[test]
    fn a_damaged_component_is_refused_with_the_place() {
        let mut wasm = wat::parse_str("(component (core module (memory 1)))").unwrap();
        wasm.truncate(wasm.len() - 2);
        let refused = Declared::read(&wasm).unwrap_err().to_string();
        assert!(refused.contains("does not compile"), "{refused}");
        assert!(refused.contains("offset"), "{refused}");
    }

    #[test]
    fn a_file_of_nothing_but_names_is_refused_before_all_are_remembered() {
        let imports: String = (0..=MOST_NAMES)
            .map(|n| format!("(import \"i{n}\" (instance))"))
            .collect();
        let refused = read(&format!("(component {imports})")).unwrap_err();
        assert!(refused.to_string().contains("10000 names"), "{refused}");
    }
}
