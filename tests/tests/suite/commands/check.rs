//! `host check`: what a component exports, imports and needs, and who would take it.

use std::fs;
use std::path::{Path, PathBuf};

use tests::{Directory, FREE_PORTS, Host, Output, guest};

fn check(file: &Path, arguments: &[&str]) -> Output {
    Host::command(["check"]).arg(file).args(arguments).run()
}

/// The cells of the row called `label`, of which there is one.
#[track_caller]
fn row<'a>(report: &'a str, label: &str) -> &'a str {
    let mut rows = report
        .lines()
        .filter_map(|line| line.strip_prefix(label)?.strip_prefix("  "));
    match (rows.next(), rows.next()) {
        (Some(cells), None) => cells.trim_start(),
        _ => panic!("not one row called {label}:\n{report}"),
    }
}

#[test]
fn the_greeting_is_taken_by_every_host() {
    let output = check(&guest("hello"), &[]);
    assert_eq!((output.code, &*output.errors()), (Some(0), ""));
    let report = &*output.stdout;
    assert_eq!(row(report, "exports"), "wasi:http/incoming-handler@0.2.0");
    assert_eq!(row(report, "host"), "yes");
    assert_eq!(row(report, "wasmtime serve"), "yes, with -S cli");
    assert_eq!(row(report, "Spin"), "yes");
    assert_eq!(row(report, "wasmCloud"), "yes");
    let imports: Vec<_> = report
        .lines()
        .filter(|line| line.starts_with("imports "))
        .collect();
    assert!(
        imports
            .iter()
            .any(|line| line.contains("wasi:http/types@0.2.")),
        "{imports:?}"
    );
    assert!(
        imports.iter().all(|line| line.contains(" wasi:")),
        "{imports:?}"
    );
}

#[test]
fn the_findings_are_there_as_json() {
    let output = check(&guest("hello"), &["--format=json"]);
    assert_eq!((output.code, &*output.errors()), (Some(0), ""));
    let found: serde_json::Value = serde_json::from_str(&output.stdout).expect("it is JSON");
    assert_eq!(
        found["exports"],
        serde_json::json!(["wasi:http/incoming-handler@0.2.0"])
    );
    assert!(
        found["imports"]
            .as_array()
            .is_some_and(|imports| !imports.is_empty())
    );
    let verdicts = found["verdicts"].as_object().expect("it is an object");
    assert_eq!(verdicts.len(), 4);
    for who in ["host", "wasmtime serve", "Spin", "wasmCloud"] {
        assert_eq!(verdicts[who]["takes"], true, "{who}");
    }
    assert_eq!(verdicts["wasmtime serve"]["flags"], "-S cli");
}

/// A page of WebAssembly's memory has 64 KiB, and a guest of std more than ten of them.
#[test]
fn the_memory_at_the_start_is_told_in_bytes() {
    let output = check(&guest("allocates"), &["--format=json"]);
    let found: serde_json::Value = serde_json::from_str(&output.stdout).expect("it is JSON");
    let memory = found["memoryBytes"].as_u64().expect("it is a number");
    assert_eq!(memory % 65_536, 0, "{memory}");
    assert!(memory > 10 * 65_536, "{memory}");
    let output = check(&guest("allocates"), &[]);
    let row = row(&output.stdout, "memory").to_owned();
    assert_eq!(row, format!("{} KiB at its start", memory / 1024));
}

#[test]
fn more_memory_at_the_start_than_the_limit_is_refused_with_the_flag_that_allows_it() {
    let output = check(&guest("allocates"), &["--memory=1Mi"]);
    assert_eq!(output.code, Some(1));
    let (_, advice) = output
        .stderr
        .trim_end()
        .split_once("allow more with ")
        .expect("there is advice");
    assert_eq!(
        check(&guest("allocates"), &advice.split(' ').collect::<Vec<_>>()).code,
        Some(0)
    );

    let served = Host::serve("allocates").arg("--memory=1Mi").run();
    assert_eq!((served.code, served.stderr), (Some(1), output.stderr));
}

#[test]
fn an_import_that_nobody_has_is_named_with_what_to_do() {
    let file = guest("imports_unknown");
    let output = check(&file, &[]);
    assert_eq!(output.code, Some(1));
    assert_eq!(
        output.stderr,
        format!(
            "error: {}: the component imports acme:nothing/thing@1.0.0, which this host does not provide; \
             build the component without it, or compose it with a component that exports it (`wac plug`)\n",
            file.display()
        )
    );
    let host = row(&output.stdout, "host").to_owned();
    assert!(
        host.starts_with("no: the component imports acme:nothing/thing@1.0.0, "),
        "{host}"
    );
    for peer in ["wasmtime serve", "Spin", "wasmCloud"] {
        assert_eq!(
            row(&output.stdout, peer),
            "no: it imports acme:nothing/thing@1.0.0"
        );
    }
}

#[test]
fn a_refusal_is_in_the_json_too() {
    let output = check(&guest("imports_unknown"), &["--format=json"]);
    assert_eq!(output.code, Some(1));
    let found: serde_json::Value = serde_json::from_str(&output.stdout).expect("it is JSON");
    assert_eq!(found["verdicts"]["host"]["takes"], false);
    let reason = found["verdicts"]["host"]["reason"]
        .as_str()
        .unwrap_or_default();
    assert!(reason.contains("acme:nothing/thing@1.0.0"), "{reason}");
}

#[test]
fn every_guest_that_imports_only_wasi_is_taken() {
    for name in [
        "spins",
        "echoes",
        "tries_files",
        "tries_sockets",
        "grows_memories",
    ] {
        let output = check(&guest(name), &[]);
        assert_eq!((output.code, &*output.errors()), (Some(0), ""), "{name}");
        assert_eq!(row(&output.stdout, "host"), "yes", "{name}");
    }
}

#[test]
fn a_component_that_calls_out_is_told_the_flag_that_lets_it() {
    let output = check(&guest("calls_out"), &[]);
    assert_eq!((output.code, &*output.errors()), (Some(0), ""));
    assert_eq!(row(&output.stdout, "host"), "yes, with --allow-outbound");
    let output = check(&guest("calls_out"), &["--format=json"]);
    let found: serde_json::Value = serde_json::from_str(&output.stdout).expect("it is JSON");
    let expected = serde_json::json!({"takes": true, "flags": "--allow-outbound"});
    assert_eq!(found["verdicts"]["host"], expected);
}

#[test]
fn what_an_execution_holds_of_the_pool_is_told() {
    let output = check(&guest("grows_memories"), &[]);
    let parts = row(&output.stdout, "parts");
    assert_eq!(parts, "5 core instances, 4 memories, 0 tables");
    let output = check(&guest("grows_memories"), &["--format=json"]);
    let found: serde_json::Value = serde_json::from_str(&output.stdout).expect("it is JSON");
    let expected = serde_json::json!({"coreInstances": 5, "memories": 4, "tables": 0});
    assert_eq!(found["parts"], expected);
}

#[test]
fn without_a_file_the_usage_is_shown() {
    let output = Host::command(["check"]).run();
    assert_eq!((output.code, &*output.stdout), (Some(2), ""));
    assert!(
        output.stderr.contains("Usage: host check"),
        "{}",
        output.stderr
    );
}

/// A file with the component of this text.
#[track_caller]
fn assembled(text: &str) -> (Directory, PathBuf) {
    let directory = Directory::new();
    let file = directory.path().join("component.wasm");
    let wasm = wat::parse_str(text).expect("it is a component");
    fs::write(&file, wasm).expect("a file can be written");
    (directory, file)
}

#[track_caller]
fn check_text(text: &str) -> Output {
    let (_directory, file) = assembled(text);
    check(&file, &[])
}

/// That whoever serves it refuses the component in the words of `host check`, which are in one line.
#[track_caller]
fn assert_refused(text: &str, reason: &str) -> Output {
    let (_directory, file) = assembled(text);
    let checked = check(&file, &[]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    assert!(checked.stderr.contains(reason), "{checked:?}");
    assert_eq!(checked.stderr.lines().count(), 1, "{checked:?}");
    let served = Host::command(["serve"]).arg(&file).args(FREE_PORTS).run();
    assert_eq!((served.code, &served.stderr), (Some(1), &checked.stderr));
    checked
}

/// A component that exports `handler` and imports the others, whose types are those of asynchronous calls.
fn component(handler: &str, imports: &[&str]) -> String {
    // What this host would serve, it also compiles.
    let function = match handler.contains("@0.2") {
        true => "(func)",
        false => "(func async (result (future u8)))",
    };
    let import = |name: &&str| format!("(import \"{name}\" (instance (export \"f\" {function})))");
    let imports: String = imports.iter().map(import).collect();
    format!("(component {imports} (instance $handler) (export \"{handler}\" (instance $handler)))")
}

#[test]
fn a_component_of_wasi_0_3_is_taken_by_this_host_and_the_others() {
    let output = check(&guest("p3_greets"), &[]);
    assert_eq!(output.code, Some(0), "{output:?}");
    assert_eq!(row(&output.stdout, "exports"), "wasi:http/handler@0.3.2");
    assert_eq!(row(&output.stdout, "host"), "yes");
    assert_eq!(row(&output.stdout, "wasmtime serve"), "yes, with -S cli");
    assert_eq!(row(&output.stdout, "Spin"), "yes");
    assert_eq!(row(&output.stdout, "wasmCloud"), "yes");
}

#[test]
fn a_component_of_wasi_0_3_with_other_types_is_not_served() {
    let text = component("wasi:http/handler@0.3.2", &["wasi:http/types@0.3.2"]);
    let (_directory, file) = assembled(&text);
    let served = Host::command(["serve"]).arg(&file).args(FREE_PORTS).run();
    assert_eq!(served.code, Some(1), "{served:?}");
    let reason = "the component does not fit this host: ";
    assert!(served.stderr.contains(reason), "{served:?}");
    assert_eq!(served.stderr.lines().count(), 1, "{served:?}");
}

#[test]
fn a_release_candidate_of_wasi_0_3_is_named_as_one() {
    let candidate = "wasi:http/handler@0.3.0-rc-2026-03-15";
    let reason = format!(
        "a release candidate of WASI 0.3: it exports {candidate}, which this host does not serve; \
         build it for the release, as wasip3 0.10 with wit-bindgen 0.63, "
    );
    let output = assert_refused(&component(candidate, &[]), &reason);
    assert_eq!(row(&output.stdout, "Spin"), "yes");
    for peer in ["wasmtime serve", "wasmCloud"] {
        let refused = format!("no: it exports {candidate}, a version that it does not call");
        assert_eq!(row(&output.stdout, peer), refused);
    }
}

/// The same with imports of which nothing is used, so that they link with whatever is provided.
fn unused(handler: &str, imports: &[&str]) -> String {
    let imports = imports.iter();
    let imports: String = imports
        .map(|name| format!("(import \"{name}\" (instance))"))
        .collect();
    format!("(component {imports} (instance $handler) (export \"{handler}\" (instance $handler)))")
}

#[test]
fn each_peer_is_held_to_the_versions_that_it_links() {
    let handler = "wasi:http/incoming-handler@0.2.0";
    let imports = [
        "wasi:config/store@0.2.0-rc.1",
        "wasi:keyvalue/store@0.2.0-draft",
    ];
    let output = check_text(&unused(handler, &imports));
    assert_eq!(
        row(&output.stdout, "wasmtime serve"),
        "yes, with -S config -S keyvalue"
    );
    let entries = "yes, with hostInterfaces entries for wasi:config, wasi:keyvalue";
    assert_eq!(row(&output.stdout, "wasmCloud"), entries);
    let refused =
        "no: it imports wasi:config/store@0.2.0-rc.1; Spin links version 0.2.0-draft-2024-09-27";
    assert_eq!(row(&output.stdout, "Spin"), refused);

    let imports = ["wasi:keyvalue/store@0.2.0-draft2", "fermyon:spin/llm@2.0.0"];
    let output = check_text(&unused(handler, &imports));
    assert_eq!(row(&output.stdout, "Spin"), "yes");
    for peer in ["wasmtime serve", "wasmCloud"] {
        let refused = format!(
            "no: it imports {}; {peer} links version 0.2.0-draft",
            imports[0]
        );
        assert_eq!(row(&output.stdout, peer), refused);
    }
}

#[test]
fn what_is_no_component_of_a_function_is_told_in_one_line_what_it_is() {
    for (text, reason) in [
        ("(module)", "a core WebAssembly module, not a component"),
        (
            "(component (type $t (component)) (export \"a:b/c\" (type $t)))",
            "a WIT package: it describes interfaces and has no code",
        ),
        ("(component)", "it exports nothing"),
    ] {
        assert_refused(text, reason);
    }
}

/// It is not compiled, and yet no verdict stands on a file that nobody could run.
#[test]
fn a_component_of_wasi_0_3_that_is_not_valid_is_no_component() {
    let text = "(component
        (core module $m (func (export \"f\") (result i32)))
        (instance $handler)
        (export \"wasi:http/handler@0.3.0\" (instance $handler)))";
    let output = check_text(text);
    assert_eq!((output.code, &*output.stdout), (Some(1), ""), "{output:?}");
    assert!(output.stderr.contains("does not compile"), "{output:?}");
}
