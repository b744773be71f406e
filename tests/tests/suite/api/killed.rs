//! A host that is killed while it deploys what came over the network.

use serde_json::{Value, json};
use tests::{Host, PATIENCE, Signal, State, guest, wait_until};

const FUNCTIONS: &str = "/v2/projects/local/locations/local/functions";
/// More than are carried out at once.
const DEPLOYMENTS: usize = 8;

/// Uploads the greeting, and begins to deploy it as `name`.
fn begin(host: &Host, token: &str, name: &str, wasm: &[u8]) -> Value {
    let upload = host.called(
        token,
        &format!("POST {FUNCTIONS}:generateUploadUrl"),
        &json!({}),
    );
    let url = upload["uploadUrl"].as_str().expect("it is a URL");
    let path = url.split_once("/upload/").expect("it is one of uploads").1;
    let put = host.method(None, &format!("PUT /upload/{path}"), wasm);
    assert_eq!(put.status, 200, "{}", put.text());
    let again = host.method(None, &format!("PUT /upload/{path}"), wasm);
    assert_eq!(again.status / 100, 4, "an upload is put once");
    let function = json!({
        "buildConfig": { "runtime": "wasi", "source": { "storageSource": upload["storageSource"] } },
    });
    host.called(
        token,
        &format!("POST {FUNCTIONS}?functionId={name}"),
        &function,
    )
}

#[test]
fn after_a_kill_each_deployment_is_whole_or_has_changed_nothing_and_its_operation_says_which() {
    let wasm = std::fs::read(guest("hello")).expect("it is there");
    let state = State::with_store();
    let host = state.serve().start();
    let token = state.access_token();
    let operations: Vec<_> = (0..DEPLOYMENTS)
        .map(|number| {
            let name = format!("f{number}");
            let operation = begin(&host, &token, &name, &wasm);
            (
                name,
                operation["name"]
                    .as_str()
                    .expect("it has a name")
                    .to_owned(),
            )
        })
        .collect();
    host.signal(Signal::Kill);
    host.wait(PATIENCE);

    let host = state.serve().start();
    let token = state.access_token();
    for (name, operation) in operations {
        let mut ended = Value::Null;
        wait_until("the operation has ended", || {
            ended = host.called(&token, &format!("GET /v2/{operation}"), &Value::Null);
            ended["done"] == true
        });
        let function = host.method(Some(&token), &format!("GET {FUNCTIONS}/{name}"), "");
        match ended.get("error") {
            None => assert_eq!(
                (function.status, &function.json()["state"]),
                (200, &json!("ACTIVE"))
            ),
            Some(error) => {
                assert_eq!(
                    (&error["code"], function.status),
                    (&json!(10), 404),
                    "{error}"
                );
            }
        }
    }
}
