//! How operations go, and how they fail.

use std::io::Cursor;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use super::{BAD, Code, Host, V1, V2, WASM, code, try_component};
use crate::api::Api;
use crate::store::{
    ApiGeneration, NewOperation, OperationVerb, ServedFunction, ServiceAccountRecord, Store,
    UPLOAD_TIME,
};

fn error(operation: &Value) -> (u64, String) {
    let error = &operation["error"];
    let message = error["message"].as_str().unwrap_or_default();
    (
        error["code"].as_u64().unwrap_or_default(),
        message.to_owned(),
    )
}

#[test]
fn what_cannot_be_served_is_not_deployed() {
    let host = Host::new();
    let failed = host.done(&host.begin_create("f", BAD).unwrap());
    assert_eq!(error(&failed), (3, "it imports wasi:nn".into()));
    assert_eq!(code(host.get(&format!("{V2}/functions/f"))), Code::NotFound);
    let failed = host.done(&host.begin_create("f", b"text").unwrap());
    assert!(
        error(&failed).1.contains("neither a WebAssembly component"),
        "{failed}"
    );
}

#[test]
fn a_function_is_created_once_and_changed_when_it_is_there() {
    let host = Host::new();
    let missing = format!("{V2}/functions/f");
    for verb in ["GET", "PATCH", "DELETE"] {
        assert_eq!(
            code(host.call(verb, &missing, &json!({}))),
            Code::NotFound,
            "{verb}"
        );
    }
    assert_eq!(
        code(host.call("POST", &format!("{V1}/functions/f:call"), &json!({}))),
        Code::NotFound
    );
    host.create("f");
    assert_eq!(code(host.begin_create("f", WASM)), Code::AlreadyExists);
    for (target, body) in [
        (format!("{V2}/functions?functionId=1f"), json!({})),
        (format!("{V2}/functions"), json!({})),
        (format!("{V2}/functions?functionId=g"), json!({})),
        (
            format!("{V1}/functions"),
            json!({ "name": "projects/other/locations/local/functions/g" }),
        ),
    ] {
        assert_eq!(
            code(host.call("POST", &target, &body)),
            Code::InvalidArgument,
            "{target}"
        );
    }
    let unknown = format!("{V2}/functions/f?updateMask=state");
    assert_eq!(
        code(host.call("PATCH", &unknown, &json!({}))),
        Code::InvalidArgument
    );
    assert_eq!(
        code(host.get(&format!("{V2}/operations/none"))),
        Code::NotFound
    );
}

#[test]
fn a_patch_changes_what_is_named_or_sent_and_keeps_what_clients_do_not_know() {
    let host = Host::new();
    host.create("f");
    let one = format!("{V2}/functions/f");
    let patch = |query: &str, body: Value| {
        let operation = host
            .call("PATCH", &format!("{one}?{query}"), &body)
            .unwrap();
        let done = host.done(&operation);
        assert!(done["response"].is_object(), "{done}");
        host.get(&one).unwrap()
    };
    let own = patch(
        "",
        json!({ "host": { "allowOutbound": ["https://a.example"], "warm": true }, "description": "d" }),
    );
    assert_eq!(own["host"]["allowOutbound"], json!(["https://a.example"]));
    let sent = patch(
        "",
        json!({ "serviceConfig": { "availableMemory": "64Mi" }, "labels": { "a": "b" } }),
    );
    assert_eq!(sent["serviceConfig"]["availableMemory"], "64Mi");
    assert_eq!(sent["serviceConfig"]["timeoutSeconds"], 60);
    assert_eq!(
        (&sent["host"]["warm"], &sent["description"]),
        (&json!(true), &json!("d"))
    );
    let named = patch(
        "updateMask=service_config.available_memory,labels",
        json!({ "description": "e" }),
    );
    assert_eq!(named["serviceConfig"]["availableMemory"], "256Mi");
    assert_eq!(
        (&named["description"], named.get("labels")),
        (&json!("d"), None)
    );
    // What was read can be written back, source and all.
    let again = patch("", named.clone());
    assert_eq!(
        again["host"]["componentSha256"],
        named["host"]["componentSha256"]
    );
    assert_eq!(again["host"]["revision"], 5);
}

#[test]
fn an_upload_is_put_once_and_deployed_once_and_expires() {
    let host = Host::new();
    let answer = host
        .call(
            "POST",
            &format!("{V2}/functions:generateUploadUrl"),
            &json!({}),
        )
        .unwrap();
    let function =
        json!({ "buildConfig": { "source": { "storageSource": answer["storageSource"] } } });
    let create = |name: &str| {
        let target = format!("{V2}/functions?functionId={name}");
        host.done(&host.call("POST", &target, &function).unwrap())
    };
    let empty = create("a");
    assert_eq!(error(&empty).0, 3);
    assert!(error(&empty).1.contains("nothing was uploaded"), "{empty}");
    host.put(&answer["uploadUrl"], WASM).unwrap();
    let again = host.put(&answer["uploadUrl"], WASM).unwrap_err();
    assert_eq!(again.code, Code::FailedPrecondition);
    assert!(create("a")["response"].is_object());
    let used = create("b");
    assert_eq!(error(&used).0, 3);
    assert!(error(&used).1.contains("no such upload"), "{used}");

    let age = SignedDuration::try_from(UPLOAD_TIME).unwrap();
    let expired = host.store().begin_upload(Timestamp::now() - age).unwrap();
    let put = host.api.upload(expired.as_str(), WASM.into()).unwrap_err();
    assert_eq!(put.code, Code::NotFound);
    assert_eq!(
        host.api.check_upload("none").unwrap_err().code,
        Code::NotFound
    );
}

#[test]
fn source_code_is_told_from_a_component() {
    let host = Host::new();
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for name in ["main.py", "requirements.txt"] {
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        archive.start_file(name, stored).unwrap();
    }
    let archive = archive.finish().unwrap().into_inner();
    let failed = host.done(&host.begin_create("f", &archive).unwrap());
    let (number, message) = error(&failed);
    assert_eq!(number, 3);
    assert!(
        message.contains("source code (main.py, requirements.txt)"),
        "{message}"
    );
}

#[test]
fn an_operation_that_panics_ends_and_leaves_room_for_others() {
    let host = Host::trying(|name, _, _| match name {
        "f" => panic!("as a test wants it"),
        _ => Ok(()),
    });
    // As many as are carried out at once, and more.
    for _ in 0..3 {
        let failed = host.done(&host.begin_create("f", WASM).unwrap());
        assert_eq!(error(&failed).0, 13, "{failed}");
    }
    host.create("g");
}

#[test]
fn a_caller_who_is_not_there_is_refused() {
    let host = Host::new();
    host.create("f");
    let one = format!("{V2}/functions/f");
    let patch = |member: &str| {
        let body = json!({ "host": { "invokers": [member] } });
        host.done(&host.call("PATCH", &one, &body).unwrap())
    };
    let failed = patch("serviceAccount:none@host.internal");
    let (number, message) = error(&failed);
    assert_eq!(number, 3, "{failed}");
    assert!(message.contains("none@host.internal"), "{message}");
    let member = format!("serviceAccount:{}", host.account("caller"));
    assert!(patch(&member)["response"].is_object());
}

/// A host whose trials wait until they are let go on.
fn slow_host() -> (Host, mpsc::Sender<()>) {
    let (go_on, waiting) = mpsc::channel();
    let waiting = Mutex::new(waiting);
    let host = Host::trying(move |name, wasm, settings| {
        // An error means that the test is over.
        let _ = waiting.lock().unwrap().recv();
        try_component(name, wasm, settings)
    });
    (host, go_on)
}

#[test]
fn a_long_operation_is_answered_at_once_and_is_alone_on_its_function() {
    let (host, go_on) = slow_host();
    let operation = host.begin_create("f", WASM).unwrap();
    assert_eq!(operation["done"], false);
    assert_eq!(code(host.begin_create("f", WASM)), Code::Aborted);
    drop(go_on);
    // Whoever sets its policy meanwhile waits until it is there.
    let body = json!({ "policy": { "bindings": [{ "role": "roles/cloudfunctions.invoker", "members": ["allUsers"] }] } });
    let policy = format!("{V1}/functions/f:setIamPolicy");
    host.call("POST", &policy, &body).unwrap();
    host.get(&format!("{V2}/functions/f")).unwrap();
    assert!(host.done(&operation)["response"].is_object());
}

#[test]
fn four_requests_wait_for_a_creation_and_a_question_does_not() {
    let (host, go_on) = slow_host();
    let operation = host.begin_create("f", WASM).unwrap();
    let begun = std::time::Instant::now();
    let test = format!("{V1}/functions/f:testIamPermissions");
    host.call("POST", &test, &json!({ "permissions": [] }))
        .unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
    let policy = format!("{V1}/functions/f:getIamPolicy");
    let (answer, answers) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| answer.clone().send(host.get(&policy)).unwrap());
        }
        // The one that is one too many.
        assert_eq!(code(answers.recv().unwrap()), Code::ResourceExhausted);
        drop(go_on);
        for _ in 0..4 {
            answers.recv().unwrap().unwrap();
        }
    });
    assert!(host.done(&operation)["response"].is_object());
}

#[test]
fn two_operations_are_carried_out_at_once_and_sixteen_wait() {
    let (host, go_on) = slow_host();
    let operations: Vec<Value> = (0..18)
        .map(|number| host.begin_create(&format!("f{number}"), WASM).unwrap())
        .collect();
    assert_eq!(code(host.begin_create("g", WASM)), Code::ResourceExhausted);
    drop(go_on);
    for operation in &operations {
        assert!(host.done(operation)["response"].is_object());
    }
    host.create("g");
}

#[test]
fn an_operation_is_done_when_the_host_serves_what_it_did() {
    let host = Host::new();
    let _lock = host.serve("https://f.example");
    let name = "f".parse().unwrap();
    let served = |problem: Option<&str>| {
        let served = ServedFunction {
            updated: host.store().function(&name).unwrap().updated,
            problem: problem.map(str::to_owned),
        };
        host.store().note_served([(&name, Some(&served))]).unwrap();
    };
    let create = host.begin_create("f", WASM).unwrap();
    assert_eq!(create["done"], false);
    let one = format!("{V2}/functions/f");
    host.await_revision("f", 1);
    assert_eq!(host.get(&one).unwrap()["state"], "DEPLOYING");
    served(None);
    let created = host.done(&create);
    assert_eq!(created["response"]["state"], "ACTIVE");
    assert_eq!(created["response"]["url"], "https://f.example/f");

    let update = host
        .call("PATCH", &one, &json!({ "labels": { "a": "b" } }))
        .unwrap();
    host.await_revision("f", 2);
    served(Some("the disk is full"));
    let (number, message) = error(&host.done(&update));
    assert_eq!(number, 9);
    assert!(message.contains("the disk is full"), "{message}");
    assert_eq!(host.get(&one).unwrap()["state"], "FAILED");

    let delete = host.call("DELETE", &one, &Value::Null).unwrap();
    assert_eq!(delete["done"], false);
    host.store().note_served([(&name, None)]).unwrap();
    assert!(host.done(&delete)["response"].is_object());
}

#[test]
fn interrupted_operations_are_ended_as_what_they_were() {
    let host = Host::new();
    let new = |name: &str, verb| NewOperation {
        target: format!("projects/local/locations/local/functions/{name}"),
        verb,
        generation: ApiGeneration::Second,
        principal: "owner".into(),
    };
    let begin = |name, verb| {
        let begun = host
            .store()
            .begin_operation(new(name, verb), Timestamp::now());
        begun.unwrap().id
    };
    let nothing = begin("a", OperationVerb::Create);
    let committed = begin("b", OperationVerb::Create);
    let keep = |settings, notes, _: &[ServiceAccountRecord]| Ok((settings, notes));
    let deployed =
        host.store()
            .deploy_for_operation(&committed, &"b".parse().unwrap(), Some(WASM), keep);
    deployed.unwrap();
    host.create("c");
    let deleted = begin("c", OperationVerb::Delete);
    host.store()
        .delete_for_operation(&deleted, &"c".parse().unwrap())
        .unwrap();

    // Another process takes over.
    let store = Arc::new(Store::open(host.directory.path()).unwrap());
    let api = Api::new(store, Box::new(drop)).unwrap();
    api.end_interrupted_operations().unwrap();
    let done = |id: &str| {
        let name = format!("projects/local/locations/local/operations/{id}");
        host.done(&json!({ "name": name }))
    };
    let (number, message) = error(&done(&nothing));
    assert_eq!(number, 10);
    assert!(message.contains("nothing was changed"), "{message}");
    assert!(
        done(&committed)["response"]["name"]
            .as_str()
            .unwrap()
            .ends_with("/b")
    );
    assert!(
        done(&deleted)["response"]["@type"]
            .as_str()
            .unwrap()
            .ends_with("Empty")
    );
}

#[test]
fn a_creation_that_nobody_has_begun_is_not_waited_for() {
    let host = Host::new();
    let begun = std::time::Instant::now();
    host.api.await_creation(&"f".parse().unwrap()).unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1));
}

const OWN: &str = "/host/v1/projects/local/locations/local/functions";

fn deploy(host: &Host, name: &str, body: &Value) -> Value {
    let operation = host.call("POST", &format!("{OWN}/{name}:deploy"), body);
    host.done(&operation.unwrap())
}

/// The id of an upload of `bytes`.
fn upload(host: &Host, bytes: &[u8]) -> Value {
    let source = host.upload(bytes);
    let object = source["object"].as_str().unwrap();
    json!(object.strip_suffix(".zip").unwrap())
}

#[test]
fn a_command_deploys_what_is_there_and_what_is_not_and_describes_it() {
    let host = Host::new();
    let changes = json!({ "timeout": "1500ms", "labels": { "update": { "a": "1" } } });
    let body = json!({ "changes": changes });
    let refused = host.call("POST", &format!("{OWN}/f:deploy"), &body);
    assert_eq!(refused.as_ref().unwrap_err().code, Code::NotFound);
    assert!(refused.unwrap_err().message.contains("--source"));
    let body = json!({ "upload": upload(&host, WASM), "changes": changes });
    let created = deploy(&host, "f", &body);
    assert_eq!(created["response"]["serviceConfig"]["revision"], "f-00001");
    let changes = json!({ "runtime": "wasi", "labels": { "update": { "b": "2" } } });
    deploy(&host, "f", &json!({ "changes": changes }));
    let described = host.get(&format!("{OWN}/f")).unwrap();
    assert_eq!(described["revision"], 2);
    assert_eq!(described["timeout"], "1500ms");
    assert_eq!(described["labels"], json!({ "a": "1", "b": "2" }));
    let listed = host.get(&format!("{OWN}?pageSize=1")).unwrap();
    assert_eq!(listed["functions"], json!([described]));
    let failed = deploy(&host, "f", &json!({ "upload": upload(&host, BAD) }));
    assert_eq!(error(&failed), (3, "it imports wasi:nn".into()));
    for body in [
        json!({ "other": 1 }),
        json!({ "upload": 1 }),
        json!({ "changes": { "other": 1 } }),
    ] {
        let refused = host.call("POST", &format!("{OWN}/f:deploy"), &body);
        assert_eq!(code(refused), Code::InvalidArgument, "{body}");
    }
}
