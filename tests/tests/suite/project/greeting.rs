//! What `hello.wasm` answers and prints.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tests::{Host, guest};

/// The greeting of the Rust project that `host new` writes.
#[allow(unreachable_pub)]
#[path = "../../../../host/src/cli/new/rust/src/greeting.rs"]
mod rust_template;

const MIB: usize = 1024 * 1024;

fn hello() -> Host {
    Host::serve("hello").start()
}

/// That `body` is greeted with `greeting`, in the answer and in the log.
#[track_caller]
fn assert_greets(host: &Host, body: &[u8], greeting: &str) {
    let shown = String::from_utf8_lossy(&body[..body.len().min(100)]).into_owned();
    let reply = host.post("/", body);
    assert_eq!((reply.status, reply.text()), (200, greeting), "{shown}");
    assert_eq!(
        host.printed_by(&reply),
        [("I".into(), greeting.into())],
        "{shown}"
    );
}

/// That `body` is not taken for JSON, and the log says why.
#[track_caller]
fn assert_is_not_json(host: &Host, body: &[u8]) {
    let shown = String::from_utf8_lossy(&body[..body.len().min(100)]).into_owned();
    let reply = host.post("/", body);
    assert_eq!((reply.status, reply.text()), (400, "JSON Error"), "{shown}");
    let [(level, line)] = host
        .printed_by(&reply)
        .try_into()
        .expect("one line is printed");
    assert_eq!(level, "E", "{shown}");
    let reason = line.strip_prefix("Error decoding JSON: ");
    assert!(
        reason.is_some_and(|reason| !reason.is_empty()),
        "{shown}: {line}"
    );
}

#[test]
fn a_name_is_greeted_in_plain_text() {
    let host = hello();
    let reply = host.post("/", r#"{"name": "local function"}"#);
    assert_eq!((reply.status, reply.text()), (200, "Hello local function!"));
    assert_eq!(
        reply.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
}

#[test]
fn the_line_that_is_answered_is_printed() {
    assert_greets(&hello(), br#"{"name": "Scheduler"}"#, "Hello Scheduler!");
}

#[test]
fn who_gives_no_name_is_greeted_as_the_world() {
    let host = hello();
    for body in [
        r#"{"name": null}"#,
        r#"{"name": ""}"#,
        r#"{"name": 0}"#,
        r#"{"name": 0.0}"#,
        r#"{"name": false}"#,
        "{}",
        r#"{"Name": "Ada"}"#,
        r#"{"person": {"name": "Ada"}}"#,
        "null",
        "true",
        "17",
        r#""Ada""#,
        "[]",
        r#"[{"name": "Ada"}]"#,
        " {} \n",
    ] {
        assert_greets(&host, body.as_bytes(), "Hello World!");
    }
}

#[test]
fn a_name_that_is_no_string_is_greeted_by_its_json_text() {
    let host = hello();
    for name in ["17", "-0.5", "true", "[1, 2]", "[]", "{}", r#"{"a": "b"}"#] {
        let body = format!(r#"{{"name": {name}}}"#);
        assert_greets(&host, body.as_bytes(), &format!("Hello {name}!"));
    }
}

#[test]
fn a_name_may_be_in_any_script_and_escaped() {
    let host = hello();
    for (name, greeting) in [
        ("Zoë", "Hello Zoë!"),
        ("世界", "Hello 世界!"),
        ("🎉", "Hello 🎉!"),
        (r"\u00c5sa \ud83d\ude00", "Hello Åsa 😀!"),
        (r#"\"quoted\" \\"#, r#"Hello "quoted" \!"#),
        (" ", "Hello  !"),
    ] {
        let body = format!(r#"{{"name": "{name}"}}"#);
        assert_greets(&host, body.as_bytes(), greeting);
    }
}

#[test]
fn what_is_not_json_is_an_error_whose_reason_only_the_log_has() {
    let host = hello();
    let bodies: [&[u8]; 9] = [
        b"",
        b" ",
        b"name=Ada",
        br#"{"name": "Ada""#,
        br#"{"name": "Ada"} {}"#,
        br#"{"name": "Ada",}"#,
        br#"{'name': 'Ada'}"#,
        br#"{"name": "\ud800"}"#,
        b"NaN",
    ];
    for body in bodies {
        assert_is_not_json(&host, body);
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_an_error() {
    let host = hello();
    assert_is_not_json(&host, b"{\"name\": \"\xff\"}");
    assert_is_not_json(&host, b"{\"other\": \"\xc3\"}");
    assert_is_not_json(&host, b"\xfe\xff");
}

#[test]
fn json_may_be_nested_deeply() {
    let host = hello();
    let (open, close) = ("[".repeat(100_000), "]".repeat(100_000));
    assert_greets(&host, format!("{open}{close}").as_bytes(), "Hello World!");
    assert_greets(
        &host,
        format!(r#"{{"other": {open}{close}, "name": "Ada"}}"#).as_bytes(),
        "Hello Ada!",
    );
    assert_is_not_json(&host, open.as_bytes());
}

#[test]
fn the_method_does_not_matter() {
    let host = hello();
    for method in [
        "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND",
    ] {
        let reply = host.request(&format!("{method} /"), r#"{"name": "Ada"}"#);
        assert_eq!(
            (reply.status, reply.text()),
            (200, "Hello Ada!"),
            "{method}"
        );
    }
    let reply = host.get("/");
    assert_eq!((reply.status, reply.text()), (400, "JSON Error"));
}

#[test]
fn the_content_type_does_not_matter() {
    let host = hello();
    for kind in [
        "application/json",
        "text/plain",
        "application/x-www-form-urlencoded",
        "nonsense",
    ] {
        let head = format!("POST /\nContent-Type: {kind}");
        let reply = host.request(&head, r#"{"name": "Ada"}"#);
        assert_eq!((reply.status, reply.text()), (200, "Hello Ada!"), "{kind}");
    }
}

#[test]
fn the_path_does_not_matter() {
    let host = hello();
    for path in [
        "/",
        "/deep/er?name=Grace",
        "/%00",
        "/robots.txt",
        "/favicon.ico",
    ] {
        let reply = host.post(path, r#"{"name": "Ada"}"#);
        assert_eq!((reply.status, reply.text()), (200, "Hello Ada!"), "{path}");
    }
}

#[test]
fn a_body_may_come_in_pieces() {
    let host = hello();
    let mut wire = host.connect();
    wire.send("POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n");
    for piece in [r#"{"na"#, r#"me": "#, r#""A"#, r#"da"}"#] {
        wire.send_chunk(piece);
    }
    wire.send("0\r\n\r\n");
    assert_eq!(wire.read_reply().text(), "Hello Ada!");
}

#[test]
fn a_long_name_is_answered_whole() {
    let host = hello();
    let name = "é".repeat(200_000);
    let reply = host.post("/", format!(r#"{{"name": "{name}"}}"#));
    assert_eq!(reply.status, 200);
    assert_eq!(reply.text(), format!("Hello {name}!"));
}

#[test]
fn a_body_of_more_than_a_mebibyte_is_too_large() {
    let host = hello();
    let json = |length: usize| format!(r#"{{"name": "Ada"{}}}"#, " ".repeat(length - 15));
    let reply = host.post("/", json(MIB));
    assert_eq!((reply.status, reply.text()), (200, "Hello Ada!"));
    for length in [MIB + 1, 2 * MIB] {
        let reply = host.post("/", json(length));
        assert_eq!(reply.status, 413, "{length}");
        assert_eq!(
            host.printed_by(&reply),
            [("E".into(), "Body too large: more than 1048576 bytes".into())],
            "{length}"
        );
    }
}

#[test]
fn the_component_is_smaller_than_200_kilobytes() {
    let size = fs::metadata(guest("hello")).expect("it is a file").len();
    assert!(size < 200_000, "{size}");
}

/// Bodies on which readers of JSON are apart.
fn delicate_bodies() -> Vec<Vec<u8>> {
    let values = [
        r#""Ada""#,
        r#""""#,
        r#"" ""#,
        "null",
        "true",
        "false",
        "7",
        "0",
        "-0",
        "0.00",
        "0E-5",
        "1.0",
        "-1.50e+07",
        "1e400",
        "-1e-400",
        "123456789012345678901234567890",
        "[]",
        "{}",
        "[1 ,2]",
        r#"{"a": [true]}"#,
        r#"{"name":{"name":null}}"#,
        r#""\u00c5sa \"\ud83d\ude00\" \\ \/ \b\u0000""#,
        r#""\ud800""#,
        r#""\ud800\u0041""#,
        r#"["\ud800"]"#,
        r#""<b>&amp;</b>""#,
        "\"tab\there\"",
        "\"\u{7f}\u{2028}\"",
        "NaN",
        "Infinity",
        "-Infinity",
        "nul",
        "05",
        "1.",
        ".5",
        "+1",
        "0x1",
        "'Ada'",
        "\u{a0}1",
    ];
    let named = values.map(|value| format!(r#"{{"name": {value} }}"#));
    let unnamed = values.map(|value| format!(r#"{{"other": {value}}}"#));
    let bare = values.map(|value| format!(" {value}\r\n"));
    let others = [
        "".into(),
        " ".into(),
        "{}".into(),
        r#"{"Name": "Ada"}"#.into(),
        r#"{"n\u0061me": "Ada"}"#.into(),
        r#"{"name": "Ada", "x": {"name": 1}, "name": "Grace"}"#.into(),
        r#"{"name": "Ada", "name": null}"#.into(),
        r#"{"": 1, "a:,b": ",:}", "name": "Ada"}"#.into(),
        r#"{"\ud800": 1, "name": "Ada"}"#.into(),
        r#"{"name": "Ada",}"#.into(),
        r#"{"name": "Ada"} {}"#.into(),
        r#"{"name": "Ada""#.into(),
        r#"{"name" "Ada"}"#.into(),
        r#"{name: "Ada"}"#.into(),
        "\u{feff}{}".into(),
        "{\u{c}}".into(),
        format!(r#"{{"name": {}}}"#, "9".repeat(5_000)),
        format!("{{\"name\": {}{}}}", "[".repeat(100), "]".repeat(100)),
    ];
    let text = named.into_iter().chain(unnamed).chain(bare).chain(others);
    let bytes: [&[u8]; 5] = [
        b"{\"name\": \"\xff\"}",
        b"{\"other\": \"\xc3\"}",
        b"\xfe\xff",
        b"[\"\xed\xa0\x80\"]",
        b"{\0\"\0n\0",
    ];
    let bytes = bytes.into_iter().map(<[u8]>::to_vec);
    text.map(String::into_bytes).chain(bytes).collect()
}

#[test]
fn the_projects_of_host_new_greet_as_the_component_does() {
    let host = hello();
    let bodies = delicate_bodies();
    let python = answers_of_python(&bodies);
    for (at, body) in bodies.iter().enumerate() {
        let shown = String::from_utf8_lossy(&body[..body.len().min(100)]);
        let reply = host.post("/", body);
        let expected = (reply.status, reply.text().to_owned());
        assert_eq!(rust_template::answer(body), expected, "Rust: {shown}");
        if let Some(python) = &python {
            assert_eq!(python[at], expected, "Python: {shown}");
        }
    }
}

/// What the Python project answers, if there is a Python here.
fn answers_of_python(bodies: &[Vec<u8>]) -> Option<Vec<(u16, String)>> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/src/cli/new/python");
    let program = "import contextlib, io, json, sys
from greeting import answer
for line in sys.stdin:
    with contextlib.redirect_stdout(io.StringIO()):
        answered = answer(bytes(json.loads(line)))
    print(json.dumps(answered))";
    let mut python = Command::new("python3")
        .args(["-B", "-c", program])
        .current_dir(project)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut input = python.stdin.take().expect("it is piped");
    for body in bodies {
        let line = serde_json::to_string(body).expect("bytes are JSON");
        writeln!(input, "{line}").expect("it reads");
    }
    drop(input);
    let output = python.wait_with_output().expect("it ends");
    assert!(output.status.success(), "python3 failed");
    let answers = String::from_utf8(output.stdout).expect("it is text");
    let answers = answers.lines();
    Some(
        answers
            .map(|line| serde_json::from_str(line).expect("it is JSON"))
            .collect(),
    )
}
