//! `assemble FROM TO`: turns the guests that are written as WebAssembly text, the `.wat` files in
//! FROM, into `.wasm` files in TO.
#![cfg_attr(target_family = "wasm", no_main)]
#![cfg(not(target_family = "wasm"))]

use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [from, to] = arguments.as_slice() else {
        return Err("usage: assemble FROM TO".into());
    };
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wat") {
            assemble(&path, Path::new(to))?;
        }
    }
    Ok(())
}

fn assemble(text: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    let stem = text.file_stem().ok_or("a guest without a name")?;
    let binary = wat::parse_file(text)?;
    fs::write(to.join(stem).with_extension("wasm"), binary)?;
    Ok(())
}
