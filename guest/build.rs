//! Keeps the component's linear memory small.

/// Room for the deepest call of the handler several times over, in bytes. The linker's own choice is
/// 1 MiB, and each fresh instance pays for what it maps. With this one the handler starts in a single
/// page of 64 KiB.
const STACK_SIZE: u32 = 32 * 1024;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm") {
        println!("cargo:rustc-link-arg-cdylib=-zstack-size={STACK_SIZE}");
    }
}
