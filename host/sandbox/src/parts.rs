//! The parts of a component that take places in the pool, counted before it is compiled.
//!
//! A pool has so many places for instances, memories and tables. Each execution has a share of them, so that no
//! component, whatever it is made of, takes those of another. What a component instantiates more than once counts each
//! time: a file of a few hundred bytes can ask for any number of instances, and the compiler would lay them all out.

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentInstance, ComponentOuterAliasKind,
    ComponentTypeRef, Instance, Parser, Payload, Result,
};

use super::error::LoadError;

/// What one execution holds of the pool.
///
/// Components of one language runtime with its adapters have two to five core instances, those of an interpreter with
/// its libraries some twenty; a composition has a memory and two tables for each of its components.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Instances of core modules.
    pub core_instances: u32,
    /// Linear memories.
    pub memories: u32,
    /// Tables.
    pub tables: u32,
    /// Instances of components within the component. They take no place, but time to compile.
    pub components: u32,
}

/// What a component may have.
pub(crate) const MOST: Parts = Parts {
    core_instances: 32,
    memories: 4,
    tables: 8,
    components: 256,
};

/// The same with those that the compiler adds for calls from one component of a composition to another.
pub(crate) const MOST_CORE_INSTANCES: u32 = 2 * MOST.core_instances;

/// How many modules, and how many components, can be named within one component. The compiler takes no more; to remember
/// them would take more memory than the file.
const MOST_ITEMS: usize = 1_000;

/// How deep components may stand in each other, likewise.
const DEEPEST: usize = 1_000;

impl Parts {
    /// Counts what an instance of the component `wasm` has. What is no component, or damaged, is counted as far as it
    /// can be read; the compiler will say what is wrong with it.
    ///
    /// A module that is handed from one component to another counts as an instance alone; the pool itself counts its
    /// memories and tables. A component that is handed on so cannot be counted, and to instantiate it is too much: it
    /// could be of any size. Nobody builds either.
    pub(crate) fn of(wasm: &[u8]) -> Self {
        let mut count = Count::default();
        for payload in Parser::new(0).parse_all(wasm) {
            let taken = payload.and_then(|payload| count.take(payload));
            if taken.is_err() || count.scopes.len() > DEEPEST {
                break;
            }
        }
        count.whole()
    }

    /// Refuses a component with more than [`MOST`].
    ///
    /// # Errors
    /// What it has too many of, and what to do.
    pub(crate) fn check(self) -> std::result::Result<(), LoadError> {
        let bounds = [
            ("linear memories", self.memories, MOST.memories),
            ("tables", self.tables, MOST.tables),
            ("core instances", self.core_instances, MOST.core_instances),
            ("nested components", self.components, MOST.components),
        ];
        match bounds.into_iter().find(|(_, count, limit)| count > limit) {
            Some((parts, count, limit)) => Err(LoadError::Parts {
                parts,
                count,
                limit,
            }),
            None => Ok(()),
        }
    }

    /// Of what comes from elsewhere, as an import or as an instance's export.
    fn handed(kind: ComponentExternalKind) -> Self {
        let components = match kind {
            ComponentExternalKind::Component => u32::MAX,
            _ => 0,
        };
        Self {
            components,
            ..Self::default()
        }
    }

    fn add(&mut self, other: Self) {
        let add = |sum: &mut u32, more: u32| *sum = sum.saturating_add(more);
        add(&mut self.core_instances, other.core_instances);
        add(&mut self.memories, other.memories);
        add(&mut self.tables, other.tables);
        add(&mut self.components, other.components);
    }
}

/// The component or module that is being read, within those that it stands in.
#[derive(Default)]
struct Count {
    scopes: Vec<Scope>,
    whole: Parts,
}

/// One component or module.
#[derive(Default)]
struct Scope {
    is_module: bool,
    /// What an instance of it has.
    parts: Parts,
    /// The modules and components that it can instantiate, by their indices.
    modules: Vec<Parts>,
    components: Vec<Parts>,
}

impl Count {
    fn take(&mut self, payload: Payload<'_>) -> Result<()> {
        match payload {
            Payload::Version { .. } if self.scopes.is_empty() => self.enter(false),
            Payload::ModuleSection { .. } => self.enter(true),
            Payload::ComponentSection { .. } => self.enter(false),
            Payload::End(_) => self.leave(),
            Payload::MemorySection(section) => self.top().parts.add(Parts {
                memories: section.count(),
                ..Parts::default()
            }),
            Payload::TableSection(section) => self.top().parts.add(Parts {
                tables: section.count(),
                ..Parts::default()
            }),
            Payload::InstanceSection(section) => {
                for instance in section {
                    if let Instance::Instantiate { module_index, .. } = instance? {
                        self.top().instantiate_module(module_index);
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    if let ComponentInstance::Instantiate {
                        component_index, ..
                    } = instance?
                    {
                        self.top().instantiate_component(component_index);
                    }
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    self.top().import(import?.ty);
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    let export = export?;
                    self.top().export(export.kind, export.index);
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    self.alias(&alias?);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn enter(&mut self, is_module: bool) {
        self.scopes.push(Scope {
            is_module,
            ..Scope::default()
        });
    }

    fn leave(&mut self) {
        let Some(scope) = self.scopes.pop() else {
            return;
        };
        match self.scopes.last_mut() {
            Some(outer) if scope.is_module => {
                outer.push(ComponentExternalKind::Module, scope.parts);
            }
            Some(outer) => outer.push(ComponentExternalKind::Component, scope.parts),
            None => self.whole = scope.parts,
        }
    }

    /// What was read of the whole component, its end seen or not.
    fn whole(mut self) -> Parts {
        while !self.scopes.is_empty() {
            self.leave();
        }
        self.whole
    }

    fn top(&mut self) -> &mut Scope {
        if self.scopes.is_empty() {
            self.enter(false);
        }
        let last = self.scopes.len() - 1;
        &mut self.scopes[last]
    }

    fn alias(&mut self, alias: &ComponentAlias<'_>) {
        match *alias {
            ComponentAlias::InstanceExport { kind, .. } => {
                self.top().push(kind, Parts::handed(kind))
            }
            ComponentAlias::Outer { kind, count, index } => {
                let kind = match kind {
                    ComponentOuterAliasKind::CoreModule => ComponentExternalKind::Module,
                    ComponentOuterAliasKind::Component => ComponentExternalKind::Component,
                    _ => return,
                };
                let depth = self.scopes.len().checked_sub(1 + count as usize);
                let outer = depth.map(|depth| self.scopes[depth].at(kind, index));
                self.top().push(kind, outer.unwrap_or_default());
            }
            ComponentAlias::CoreInstanceExport { .. } => {}
        }
    }
}

impl Scope {
    fn instantiate_module(&mut self, index: u32) {
        self.parts.add(Parts {
            core_instances: 1,
            ..self.at(ComponentExternalKind::Module, index)
        });
    }

    fn instantiate_component(&mut self, index: u32) {
        self.parts
            .add(self.at(ComponentExternalKind::Component, index));
        self.parts.add(Parts {
            components: 1,
            ..Parts::default()
        });
    }

    fn import(&mut self, kind: ComponentTypeRef) {
        self.push(kind.kind(), Parts::handed(kind.kind()));
    }

    /// An export is an item of its own, with the next index.
    fn export(&mut self, kind: ComponentExternalKind, index: u32) {
        self.push(kind, self.at(kind, index));
    }

    fn push(&mut self, kind: ComponentExternalKind, parts: Parts) {
        let items = match kind {
            ComponentExternalKind::Module => &mut self.modules,
            ComponentExternalKind::Component => &mut self.components,
            _ => return,
        };
        if items.len() < MOST_ITEMS {
            items.push(parts);
        }
    }

    fn at(&self, kind: ComponentExternalKind, index: u32) -> Parts {
        let items = match kind {
            ComponentExternalKind::Module => &self.modules,
            ComponentExternalKind::Component => &self.components,
            _ => return Parts::default(),
        };
        items.get(index as usize).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Parts {
        Parts::of(&wat::parse_str(text).expect("it is a component"))
    }

    const MODULE: &str = "(core module $m (memory 1) (table 1 funcref) (table 1 funcref))";

    #[test]
    fn a_module_counts_as_often_as_it_is_instantiated() {
        assert_eq!(parts(&format!("(component {MODULE})")), Parts::default());
        let twice = format!(
            "(component {MODULE} (core instance (instantiate $m)) (core instance (instantiate $m)))"
        );
        let expected = Parts {
            core_instances: 2,
            memories: 2,
            tables: 4,
            components: 0,
        };
        assert_eq!(parts(&twice), expected);
    }

    #[test]
    fn a_nested_component_counts_with_all_it_has_as_often_as_it_is_instantiated() {
        let nested = format!(
            "(component {MODULE}
               (component $c
                 (core instance (instantiate $m))
                 (core instance (instantiate $m)))
               (instance (instantiate $c))
               (export $again \"again\" (component $c))
               (instance (instantiate $again)))"
        );
        let expected = Parts {
            core_instances: 4,
            memories: 4,
            tables: 8,
            components: 2,
        };
        assert_eq!(parts(&nested), expected);
    }

    #[test]
    fn a_component_that_is_handed_on_cannot_be_counted_and_so_not_be_instantiated() {
        let level = "(component $leaf)
             (component $level (import \"c\" (component $c)) (export \"c\" (component $c)))";
        let handed = "(instance $i (instantiate $level (with \"c\" (component $leaf))))
             (alias export $i \"c\" (component $again))";
        assert!(
            parts(&format!("(component {level} {handed})"))
                .check()
                .is_ok()
        );
        let used = format!("(component {level} {handed} (instance (instantiate $again)))");
        assert!(parts(&used).check().is_err());
    }

    /// Forty levels of two instances each: a million million, of which none is laid out.
    #[test]
    fn a_file_that_asks_for_more_than_can_be_is_counted_at_once() {
        let mut text = format!("(component $c0 {MODULE} (core instance (instantiate $m)))");
        for level in 1..=40 {
            let below = level - 1;
            text = format!(
                "(component $c{level} {text}
                   (instance (instantiate $c{below})) (instance (instantiate $c{below})))"
            );
        }
        let parts = parts(&text);
        assert_eq!((parts.memories, parts.components), (u32::MAX, u32::MAX));
        assert!(parts.check().is_err());
    }

    #[test]
    fn the_refusal_names_what_was_counted_the_bound_and_what_to_do() {
        let all = [
            (5, 0, 0, 0, "5 linear memories, more than the 4"),
            (0, 9, 0, 0, "9 tables, more than the 8"),
            (0, 0, 33, 0, "33 core instances, more than the 32"),
            (0, 0, 0, 257, "257 nested components, more than the 256"),
        ];
        for (memories, tables, core_instances, components, expected) in all {
            let parts = Parts {
                core_instances,
                memories,
                tables,
                components,
            };
            let line = parts.check().unwrap_err().to_string();
            assert!(line.contains(expected) && line.contains("; "), "{line}");
        }
        assert!(MOST.check().is_ok());
    }

    #[test]
    fn a_file_of_nothing_but_names_is_not_remembered_whole() {
        let mut scope = Scope::default();
        for _ in 0..3 * MOST_ITEMS {
            scope.push(ComponentExternalKind::Module, Parts::default());
        }
        assert_eq!(scope.modules.len(), MOST_ITEMS);
    }

    #[test]
    fn what_is_no_component_is_left_to_the_compiler() {
        for wasm in [&b""[..], b"\0asm", b"\0asm\x0d\0\x01\0\xff\xff", b"text"] {
            assert_eq!(Parts::of(wasm), Parts::default());
        }
    }
}
