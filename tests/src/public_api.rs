//! What a library shows to the programs that use it, as text that is compared with a file.
//!
//! It is read from the library's sources: every item that `lib.rs` exports, its public fields, functions and constants,
//! and the traits that it has.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use syn::{
    Attribute, Block, Field, Fields, FieldsNamed, File, ImplItem, Item, ItemImpl, ItemStruct, Type,
    UseTree, Visibility, parse_quote,
};

/// A module of a library: what stands in it, and its modules.
struct Module {
    items: Vec<Item>,
    inner: BTreeMap<String, Module>,
}

/// The public surface of the library whose sources are in `directory`, in the order of the names.
///
/// It knows the forms that these libraries use: `pub use` of single items from a module of the library or from another
/// crate, and `pub mod`. It panics on others.
pub fn public_api(directory: &Path) -> String {
    let library = Module::read(&directory.join("lib.rs"), directory);
    let mut implementations = Vec::new();
    library.collect_implementations(&mut implementations);
    let mut shown = Vec::new();
    library.collect_exports(&library, "", &implementations, &mut shown);
    shown.sort();
    let texts: Vec<String> = shown.into_iter().map(|(_, text)| text).collect();
    texts.join("\n")
}

impl Module {
    /// The module in `file`; the files of its own modules are in `directory`.
    fn read(file: &Path, directory: &Path) -> Self {
        let text = fs::read_to_string(file)
            .unwrap_or_else(|error| panic!("{} is not read: {error}", file.display()));
        let parsed = syn::parse_file(&text)
            .unwrap_or_else(|error| panic!("{} is not Rust: {error}", file.display()));
        Self::of(parsed.items, directory)
    }

    /// The module of these items.
    fn of(items: Vec<Item>, directory: &Path) -> Self {
        let mut inner = BTreeMap::new();
        for item in &items {
            let Item::Mod(module) = item else { continue };
            if is_for_tests(&module.attrs) {
                continue;
            }
            let name = module.ident.to_string();
            let below = directory.join(&name);
            let module = match &module.content {
                Some((_, items)) => Self::of(items.clone(), &below),
                None => Self::read(&directory.join(format!("{name}.rs")), &below),
            };
            inner.insert(name, module);
        }
        let items = items.into_iter().map(expanded).collect();
        Self { items, inner }
    }

    /// Adds the `impl` blocks of this module and of those in it.
    fn collect_implementations<'a>(&'a self, into: &mut Vec<&'a ItemImpl>) {
        into.extend(self.items.iter().filter_map(|item| match item {
            Item::Impl(block) if !is_for_tests(&block.attrs) => Some(block),
            _ => None,
        }));
        for module in self.inner.values() {
            module.collect_implementations(into);
        }
    }

    /// Adds what this module exports, each with its path, which begins with `prefix`.
    fn collect_exports(
        &self,
        library: &Self,
        prefix: &str,
        implementations: &[&ItemImpl],
        into: &mut Vec<(String, String)>,
    ) {
        for item in self.items.iter().filter(|item| is_public(item)) {
            match item {
                Item::Mod(module) => {
                    let name = module.ident.to_string();
                    let inner = &self.inner[&name];
                    let prefix = format!("{prefix}{name}::");
                    inner.collect_exports(library, &prefix, implementations, into);
                }
                Item::Use(exported) => {
                    for (path, name) in names(&exported.tree) {
                        let named = format!("{prefix}{name}");
                        let own = self.find(&path).filter(|_| path[0] != "super");
                        let text = match own.or_else(|| library.find(&path)) {
                            Some(item) => shown(&named, item, implementations),
                            None => format!("pub use {};\n", path.join("::")),
                        };
                        into.push((named, text));
                    }
                }
                item => {
                    if let Some(name) = name(item) {
                        let named = format!("{prefix}{name}");
                        let text = shown(&named, item, implementations);
                        into.push((named, text));
                    }
                }
            }
        }
    }

    /// The item at `path`, wherever it is re-exported on the way.
    fn find(&self, path: &[String]) -> Option<&Item> {
        match path {
            [first, rest @ ..] if matches!(first.as_str(), "crate" | "self" | "super") => {
                self.find(rest)
            }
            [last] => self
                .items
                .iter()
                .find(|item| name(item).as_ref() == Some(last))
                .or_else(|| self.find_exported(last)),
            [first, rest @ ..] => self.inner.get(first)?.find(rest),
            [] => None,
        }
    }

    fn find_exported(&self, wanted: &str) -> Option<&Item> {
        let uses = self.items.iter().filter_map(|item| match item {
            Item::Use(exported) => Some(names(&exported.tree)),
            _ => None,
        });
        let (path, _) = uses.flatten().find(|(_, name)| name == wanted)?;
        // One that names itself leads nowhere else.
        (path.len() > 1).then(|| self.find(&path))?
    }
}

/// The methods that `setters!(Type { field: Type, … })` makes; any other item as it is.
fn expanded(item: Item) -> Item {
    let Item::Macro(called) = &item else {
        return item;
    };
    if !called.mac.path.is_ident("setters") {
        return item;
    }
    let fields: ItemStruct = syn::parse_str(&format!("struct {}", called.mac.tokens))
        .unwrap_or_else(|error| panic!("setters! is not as it was: {error}"));
    let of_type = &fields.ident;
    let setters = fields
        .fields
        .iter()
        .map(|Field { ident, ty, .. }| -> ImplItem {
            parse_quote!(pub fn #ident(mut self, #ident: #ty) -> Self {})
        });
    parse_quote!(impl #of_type { #(#setters)* })
}

/// What a `use` names: each path, and the name that it gets.
fn names(tree: &UseTree) -> Vec<(Vec<String>, String)> {
    match tree {
        UseTree::Path(path) => {
            let first = path.ident.to_string();
            let rest = names(&path.tree).into_iter();
            rest.map(|(mut path, name)| {
                path.insert(0, first.clone());
                (path, name)
            })
            .collect()
        }
        UseTree::Name(last) => vec![(vec![last.ident.to_string()], last.ident.to_string())],
        UseTree::Rename(last) => vec![(vec![last.ident.to_string()], last.rename.to_string())],
        UseTree::Group(group) => group.items.iter().flat_map(names).collect(),
        UseTree::Glob(_) => panic!("a library says one by one what it exports"),
    }
}

fn name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

fn is_public(item: &Item) -> bool {
    let visibility = match item {
        Item::Const(item) => &item.vis,
        Item::Enum(item) => &item.vis,
        Item::Fn(item) => &item.vis,
        Item::Mod(item) => &item.vis,
        Item::Static(item) => &item.vis,
        Item::Struct(item) => &item.vis,
        Item::Trait(item) => &item.vis,
        Item::Type(item) => &item.vis,
        Item::Use(item) => &item.vis,
        _ => return false,
    };
    matches!(visibility, Visibility::Public(_))
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_test = |meta: &syn::MetaList| meta.tokens.to_string() == "test";
        attribute.path().is_ident("cfg") && attribute.meta.require_list().is_ok_and(is_test)
    })
}

/// `item`, which is exported as `named`, with what its `impl` blocks make public.
fn shown(named: &str, item: &Item, implementations: &[&ItemImpl]) -> String {
    let mut items = vec![bare(item.clone())];
    let is_type = matches!(item, Item::Struct(_) | Item::Enum(_) | Item::Type(_));
    if let Some(name) = name(item).filter(|_| is_type) {
        let of_it = implementations.iter();
        let of_it = of_it.filter(|block| is_of(&block.self_ty, &name));
        let (with_trait, own): (Vec<_>, Vec<_>) = of_it.partition(|block| block.trait_.is_some());
        items.extend(own.into_iter().filter_map(public_part));
        items.extend(with_trait.into_iter().map(heading));
    }
    let file = File {
        shebang: None,
        attrs: Vec::new(),
        items,
    };
    let code = prettyplease::unparse(&file)
        .replace(" {}\n", ";\n")
        .replace("__private: (),", "// private fields")
        .replace("(__Private)", "(/* private fields */)");
    format!("// {named}\n{code}")
}

fn is_of(self_type: &Type, name: &str) -> bool {
    matches!(self_type, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == name))
}

/// An item without its documentation, its private fields, its values and its body.
fn bare(mut item: Item) -> Item {
    match &mut item {
        Item::Struct(item) => {
            keep_attributes(&mut item.attrs);
            keep_public(&mut item.fields);
        }
        Item::Enum(item) => {
            keep_attributes(&mut item.attrs);
            for variant in &mut item.variants {
                variant.attrs.clear();
                variant
                    .fields
                    .iter_mut()
                    .for_each(|field| field.attrs.clear());
            }
        }
        Item::Fn(item) => {
            keep_attributes(&mut item.attrs);
            *item.block = empty();
        }
        Item::Const(item) => keep_attributes(&mut item.attrs),
        Item::Static(item) => keep_attributes(&mut item.attrs),
        Item::Type(item) => keep_attributes(&mut item.attrs),
        Item::Trait(item) => {
            keep_attributes(&mut item.attrs);
            for member in &mut item.items {
                if let syn::TraitItem::Fn(function) = member {
                    keep_attributes(&mut function.attrs);
                    function.default = function.default.as_ref().map(|_| empty());
                }
            }
        }
        _ => {}
    }
    item
}

fn empty() -> Block {
    parse_quote!({})
}

/// Attributes that a program which uses the item can notice.
fn keep_attributes(attributes: &mut Vec<Attribute>) {
    let noticed = ["derive", "must_use", "non_exhaustive"];
    attributes.retain(|attribute| noticed.iter().any(|name| attribute.path().is_ident(name)));
}

fn keep_public(fields: &mut Fields) {
    let is_public = |field: &Field| matches!(field.vis, Visibility::Public(_));
    let all_public = fields.iter().all(is_public);
    for field in fields.iter_mut() {
        field.attrs.clear();
    }
    match fields {
        Fields::Named(FieldsNamed { named, .. }) => {
            let mut kept: Vec<Field> = named
                .iter()
                .filter(|field| is_public(field))
                .cloned()
                .collect();
            if !all_public {
                let placeholder: FieldsNamed = parse_quote!({ __private: () });
                kept.extend(placeholder.named);
            }
            *named = kept.into_iter().collect();
        }
        Fields::Unnamed(_) if !all_public => *fields = Fields::Unnamed(parse_quote!((__Private))),
        _ => {}
    }
}

/// The public functions and constants of an `impl` block without a trait, if it has any.
fn public_part(block: &ItemImpl) -> Option<Item> {
    let mut block = block.clone();
    block.attrs.clear();
    block.items.retain(|item| {
        let visibility = match item {
            ImplItem::Fn(item) => &item.vis,
            ImplItem::Const(item) => &item.vis,
            _ => return false,
        };
        matches!(visibility, Visibility::Public(_))
    });
    for item in &mut block.items {
        match item {
            ImplItem::Fn(item) => {
                keep_attributes(&mut item.attrs);
                item.block = empty();
            }
            ImplItem::Const(item) => {
                keep_attributes(&mut item.attrs);
                item.expr = parse_quote!(..);
            }
            _ => {}
        }
    }
    (!block.items.is_empty()).then_some(Item::Impl(block))
}

/// An `impl` block of a trait without what is in it.
fn heading(block: &ItemImpl) -> Item {
    let mut block = block.clone();
    block.attrs.clear();
    block.items.clear();
    Item::Impl(block)
}
