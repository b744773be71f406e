//! What Google's clients were recorded to send, replayed. `tests/google-clients/recorded.txt` says how its lines are read.

mod part;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write as _};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use tests::{Host, Issuer, PATIENCE, Reply, State, guest};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use part::{Body, Line, Part, parts};

const RECORDED: &str = include_str!("../../../google-clients/recorded.txt");

/// How often an operation is asked for.
const LOOK: Duration = Duration::from_millis(20);

/// The accounts that the requests name: each a name, and a domain.
const ACCOUNTS: [(&str, &str); 5] = [
    ("myserviceaccount", "host.internal"),
    ("deployer", "host.internal"),
    ("a", "host.internal"),
    ("m", "host.internal"),
    ("x", "p.iam.gserviceaccount.com"),
];

#[test]
fn every_request_that_was_recorded_is_answered_as_it_is_to_be() {
    let parts = parts(RECORDED);
    assert!(parts.len() > 5, "they are read");
    let faults: Vec<String> = thread::scope(|scope| {
        let replays: Vec<_> = parts
            .iter()
            .map(|part| scope.spawn(|| Replay::start().replay(part)))
            .collect();
        let replays = replays.into_iter();
        replays
            .flat_map(|replay| replay.join().expect("it is replayed to its end"))
            .collect()
    });
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A host, and what the answers so far have told.
struct Replay {
    _state: State,
    host: Host,
    _issuer: Issuer,
    /// By the name that stands for it.
    latest: BTreeMap<&'static str, String>,
}

impl Replay {
    fn start() -> Self {
        let (state, issuer) = (State::new(), Issuer::start());
        state.put_compiled("hello");
        for (name, domain) in ACCOUNTS {
            let created = state.run(&format!(
                "iam service-accounts create {name} --domain {domain}"
            ));
            assert_eq!(created.code, Some(0), "{created:?}");
        }
        let host = state
            .serve()
            .args(["--project=p", "--location=local"])
            .arg(format!("--issuer={}", issuer.url()))
            .start();
        let owner = state.access_token();
        let policy = json!({ "policy": { "bindings": [
            { "role": "roles/owner", "members": [issuer.principal("ada")] },
            { "role": "roles/viewer", "members": [
                "serviceAccount:myserviceaccount@host.internal",
                "serviceAccount:deployer@host.internal",
                "serviceAccount:a@host.internal",
            ]},
        ]}});
        host.called(&owner, "POST /v1/projects/p:setIamPolicy", &policy);
        let audience = format!("http://{}", host.admin_addr());
        let latest = BTreeMap::from([
            ("owner", owner),
            ("none", "None".to_owned()),
            ("now", Timestamp::now().to_string()),
            ("subject", issuer.token("ada", &audience)),
            ("self-signed", self_signed(&issuer)),
        ]);
        Self {
            _state: state,
            host,
            _issuer: issuer,
            latest,
        }
    }

    /// Sends all of `part`; what was answered otherwise than it is to be.
    fn replay(mut self, part: &Part) -> Vec<String> {
        let replayed = part.lines.iter().filter_map(|line| {
            let fault = self.send(line).err()?;
            Some(format!("{}, line {}: {fault}", part.title, line.number))
        });
        replayed.collect()
    }

    fn send(&mut self, line: &Line) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            let reply = self.ask(line);
            let told = || {
                let Line { head, status, .. } = line;
                let text = String::from_utf8_lossy(&reply.body);
                format!("{head} -> {}, expected {status}: {text}", reply.status)
            };
            if reply.status != line.status {
                return Err(told());
            }
            let answer: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            if !line.is_of_operation() {
                self.learn(&answer);
                return Ok(());
            }
            match (&answer["done"], answer.get("error")) {
                (Value::Bool(true), None) => return Ok(()),
                (Value::Bool(false), _) if begun.elapsed() < PATIENCE => thread::sleep(LOOK),
                _ => return Err(told()),
            }
        }
    }

    fn ask(&self, line: &Line) -> Reply {
        let token = self.latest.get(line.caller).map(String::as_str);
        let mut head = self.filled(line.head);
        let body = match &line.body {
            Body::None => Vec::new(),
            Body::Json(text) => {
                head.push_str("\nContent-Type: application/json");
                self.filled(text).into_bytes()
            }
            Body::Form(fields) => {
                head.push_str("\nContent-Type: application/x-www-form-urlencoded");
                let mut form = form_urlencoded::Serializer::new(String::new());
                for (name, value) in fields {
                    form.append_pair(name, &self.filled(value));
                }
                form.finish().into_bytes()
            }
            Body::Zip => {
                head.push_str("\nContent-Type: application/zip");
                component()
            }
        };
        if line.caller == "api-key" {
            head.push_str("\nX-Goog-Api-Key: KEY");
        }
        match head.replacen("{function}", "", 1) {
            of_function if of_function != head => {
                let token = token.unwrap_or_default();
                self.host.request(
                    &format!("{of_function}\nAuthorization: Bearer {token}"),
                    body,
                )
            }
            _ => self.host.method(token, &head, body),
        }
    }

    /// `text` with what the answers have told in place of the names that stand for it.
    fn filled(&self, text: &str) -> String {
        let told = self.latest.iter();
        told.fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }

    fn learn(&mut self, answer: &Value) {
        let fields = [
            ("uploadUrl", "uploadUrl"),
            ("etag", "etag"),
            ("access_token", "outside"),
            ("accessToken", "impersonated"),
            ("token", "identified"),
        ];
        for (field, name) in fields {
            if let Some(text) = answer[field].as_str() {
                self.latest.insert(name, text.to_owned());
            }
        }
        if let Some(url) = answer["uploadUrl"].as_str() {
            let (origin, id) = url.rsplit_once("/upload/").expect("it is an upload's");
            assert_eq!(origin, format!("http://{}", self.host.admin_addr()));
            self.latest.insert("upload", format!("/upload/{id}"));
            self.latest.insert("object", format!("{id}.zip"));
        }
        let name = answer["name"].as_str().unwrap_or_default();
        if name.split('/').any(|part| part == "operations") {
            self.latest.insert("operation", name.to_owned());
        }
    }
}

/// What a program makes that has a key of a service account.
fn self_signed(issuer: &Issuer) -> String {
    let mut claims = issuer.claims(
        "deployer@host.internal",
        "https://cloudscheduler.googleapis.com/",
    );
    claims["iss"] = json!("deployer@host.internal");
    issuer.key().sign(&claims)
}

/// A zip archive with a component.
fn component() -> Vec<u8> {
    let wasm = fs::read(guest("hello")).expect("it can be read");
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    archive
        .start_file("hello.wasm", stored)
        .expect("it is the first file");
    archive.write_all(&wasm).expect("there is room");
    archive.finish().expect("it can be ended").into_inner()
}
