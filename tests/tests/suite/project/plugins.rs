//! The example program that runs plugins which it does not trust.

use std::process::Command;

use tests::{guest, host_binary};

#[test]
fn it_outlives_whatever_a_plugin_does() {
    let folder = host_binary()
        .parent()
        .expect("it lies in a folder")
        .join("examples");
    let output = Command::new(folder.join("plugins"))
        .args(
            [
                "hello",
                "spins",
                "allocates",
                "traps",
                "imports_unknown",
                "hello",
            ]
            .map(guest),
        )
        .output()
        .expect("the example is built, as `cargo test --workspace` does");
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    let expected = [
        ("hello.wasm", "200 OK \"Hello host!\""),
        ("it printed", "Hello host!"),
        ("spins.wasm", "failed: ran longer than its limit of 1s"),
        (
            "allocates.wasm",
            "failed: wanted more memory than its limit of 32 MiB",
        ),
        ("traps.wasm", "failed: "),
        (
            "imports_unknown.wasm",
            "not loaded: the component imports acme:nothing/thing@1.0.0",
        ),
        ("hello.wasm", "200 OK \"Hello host!\""),
    ];
    let mut rest = &*said;
    for (name, words) in expected {
        let at = rest.find(name).unwrap_or_else(|| panic!("{name}: {said}"));
        rest = &rest[at..];
        let line = rest.lines().next().unwrap_or_default();
        assert!(line.contains(words), "{words}: {said}");
        rest = &rest[line.len()..];
    }
}
