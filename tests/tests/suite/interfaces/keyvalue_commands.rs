//! `host keyvalue`: what functions keep is read and changed while they are served.

use std::fs;

use serde_json::json;
use tests::{Host, Output, State};

/// The function `f`, which has `a` and `b`, and a host that serves it.
fn served() -> (State, Host) {
    let state = State::new();
    state.deploy(
        "f",
        "keeps_values",
        &["--keyvalue-bucket=ours", "--keyvalue-entries=2"],
    );
    let host = state.serve().start();
    for query in ["do=set&key=a&value=1", "do=set&key=b&value=22"] {
        assert_eq!(host.get(&format!("/f?{query}")).status, 200);
    }
    (state, host)
}

#[track_caller]
fn assert_refused(output: &Output, words: &str) {
    assert_eq!((output.code, &*output.stdout), (Some(1), ""), "{output:?}");
    assert!(output.stderr.contains(words), "{}", output.stderr);
}

#[test]
fn values_are_printed_and_set_while_a_host_serves() {
    let (state, host) = served();
    assert_eq!(state.run("keyvalue get f b").stdout, "22\n");
    let set = state.run("keyvalue set f a new");
    assert_eq!((set.code, &*set.stderr), (Some(0), "Set [a] in [f].\n"));
    assert_eq!(host.get("/f?do=get&key=a").text(), "new");
    // The quota is the function's, not the operator's.
    state.run("keyvalue set f c -3");
    assert_eq!(host.get("/f?do=add&key=b&by=1").text(), "23");
    assert_eq!(host.get("/f?do=get&key=c").text(), "-3");
    let piped = state.command(["keyvalue", "set", "f", "a", "-"]);
    let piped = piped.in_shell("printf 'two\\nlines\\n' |", "").run();
    assert_eq!(piped.code, Some(0), "{piped:?}");
    assert_eq!(printed(&state, "a"), b"two\nlines\n");
    let piped = state.command(["keyvalue", "set", "f", "a", "-"]);
    let piped = piped.in_shell("printf '\\033\\000\\377' |", "").run();
    assert_eq!(piped.code, Some(0), "{piped:?}");
    assert_eq!(printed(&state, "a"), b"\x1b\0\xff");
}

/// The bytes that `get` prints for `key`.
#[track_caller]
fn printed(state: &State, key: &str) -> Vec<u8> {
    let file = state.beside().join("value");
    let get = state.command(["keyvalue", "get", "f", key]);
    let get = get.in_shell("", &format!(">'{}'", file.display())).run();
    assert_eq!(get.code, Some(0), "{get:?}");
    fs::read(file).expect("it was written")
}

#[test]
fn keys_are_listed_in_the_order_in_which_they_came() {
    let (state, _host) = served();
    let list = state.run("keyvalue list f");
    assert_eq!(list.stdout, "KEY  BYTES\na    1\nb    2\n");
    let list = state.run("keyvalue list f --format=json");
    let keys: serde_json::Value = serde_json::from_str(&list.stdout).expect("it is JSON");
    assert_eq!(
        keys,
        json!([{"key": "a", "bytes": 1}, {"key": "b", "bytes": 2}])
    );
    let list = state.run("keyvalue list f --format=value(key) --sort-by=~key --limit=1");
    assert_eq!(list.stdout, "b\n");
}

#[test]
fn keys_are_deleted_after_a_question() {
    let (state, host) = served();
    let asked = state.run("keyvalue delete f a b");
    assert_refused(&asked, "Nothing was changed");
    let deleted = state.run("keyvalue delete f a --quiet");
    assert_eq!(
        (deleted.code, &*deleted.stderr),
        (Some(0), "Deleted 1 key of [f].\n")
    );
    assert_eq!(host.get("/f?do=list").text(), "b");
    assert_refused(
        &state.run("keyvalue delete f a b --quiet"),
        "there is no key `a`",
    );
    let deleted = state.run("keyvalue delete f --all -q");
    assert_eq!(deleted.code, Some(0), "{deleted:?}");
    assert_eq!(host.get("/f?do=list").text(), "");
}

#[test]
fn a_shared_bucket_is_named_as_one() {
    let (state, host) = served();
    assert_refused(
        &state.run("keyvalue list ours"),
        "there is no function `ours`",
    );
    assert_refused(
        &state.run("keyvalue list --bucket ours"),
        "there is no bucket `ours`",
    );
    assert_eq!(state.run("keyvalue set --bucket ours k v").code, Some(0));
    assert_eq!(host.get("/f?do=get&bucket=ours&key=k").text(), "v");
    assert_eq!(state.run("keyvalue get ours k --bucket").stdout, "v\n");
    assert_refused(
        &state.run("keyvalue get --bucket our k"),
        "there is no bucket `our`; did you mean `ours`?",
    );
    assert_refused(
        &state.run("keyvalue set --bucket default k v"),
        "not `default`",
    );
    assert_refused(
        &state.run("keyvalue get f k"),
        "there is no key `k` in the bucket [f]",
    );
    assert_refused(&state.run("keyvalue get g k"), "there is no function `g`");
    assert_refused(&state.run("keyvalue get a.b k"), "there is no bucket `a.b`");
    let long = "k".repeat(1025);
    assert_refused(
        &state.run(&format!("keyvalue set f {long} v")),
        "1 to 1024 bytes",
    );
}

#[test]
fn the_bucket_of_a_component_is_named_as_it_is() {
    let state = State::new();
    let serve = state.serve_component("counts_visits");
    let host = serve.arg("--name=a.b").start();
    assert_eq!(host.get("/").status, 200);
    assert_eq!(state.run("keyvalue get a.b visits").stdout, "1\n");
    state.run("keyvalue set a.b visits 41");
    assert_eq!(host.get("/").text(), "Hello, visitor 42!\n");
}
