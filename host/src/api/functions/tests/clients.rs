//! What Google's clients send, in the order in which they do.

use std::time::SystemTime;

use serde_json::{Value, json};

use super::{Code, Host, V1, V2, WASM, code, function_server};
use crate::identity::OwnIssuer;
use crate::settings::FunctionSettings;
use crate::store::{PolicyOf, StoreError};

#[test]
fn python_deals_with_a_function_of_the_second_generation() {
    let host = Host::new();
    let account = host.account("myserviceaccount");
    let functions = format!("{V2}/functions");
    let ints = "$alt=json%3Benum-encoding%3Dint";
    let url = format!("{functions}:generateUploadUrl?{ints}");
    let upload = host.call("POST", &url, &json!({})).unwrap();
    assert_eq!(upload["storageSource"]["bucket"], "host-source");
    host.put(&upload["uploadUrl"], WASM).unwrap();
    let body = json!({ "name": "projects/local/locations/local/functions/hello_world", "buildConfig": { "runtime": "wasi", "entryPoint": "hello_world", "source": { "storageSource": upload["storageSource"] } }, "serviceConfig": { "timeoutSeconds": 5, "environmentVariables": { "MODE": "slow" }, "ingressSettings": 1, "serviceAccountEmail": account, "availableMemory": "64Mi", "maxInstanceRequestConcurrency": 80 }, "environment": 2 });
    let create = format!("{functions}?functionId=hello_world&{ints}");
    let operation = host.call("POST", &create, &body).unwrap();
    let name = operation["name"].as_str().unwrap();
    assert!(
        name.starts_with("projects/local/locations/local/operations/"),
        "{name}"
    );
    let done = host.done(&operation);
    assert_eq!(done["metadata"]["operationType"], "CREATE_FUNCTION");
    let response = &done["response"];
    assert_eq!(
        response["@type"],
        "type.googleapis.com/google.cloud.functions.v2.Function"
    );
    assert_eq!(response["url"], "http://127.0.0.1:8080/hello_world");
    assert_eq!(response.get("host"), None);

    let one = format!("{functions}/hello_world?{ints}");
    let function = host.get(&one).unwrap();
    assert_eq!(function["serviceConfig"]["timeoutSeconds"], 5);
    assert_eq!(function["serviceConfig"]["availableMemory"], "64Mi");
    assert_eq!(function["environment"], "GEN_2");
    assert_eq!(function["state"], "UNKNOWN");
    assert_eq!(function["stateMessages"][0]["severity"], "WARNING");
    let list = host
        .get(&format!("/v2/projects/local/locations/-/functions?{ints}"))
        .unwrap();
    assert_eq!(list["functions"], json!([function]));

    let patch =
        format!("{functions}/hello_world?updateMask=serviceConfig.environmentVariables&{ints}");
    let mut changed = body.clone();
    changed["serviceConfig"] =
        json!({ "environmentVariables": { "MODE": "fast" }, "availableMemory": "1Gi" });
    host.done(&host.call("PATCH", &patch, &changed).unwrap());
    let after = host.get(&one).unwrap();
    assert_eq!(
        after["serviceConfig"]["environmentVariables"],
        json!({ "MODE": "fast" })
    );
    assert_eq!(after["serviceConfig"]["availableMemory"], "64Mi");
    assert_eq!(after["host"]["revision"], 2);
    assert_eq!(
        after["host"]["componentSha256"],
        function["host"]["componentSha256"]
    );

    let deleted = host.done(&host.call("DELETE", &one, &Value::Null).unwrap());
    assert_eq!(
        deleted["response"],
        json!({ "@type": "type.googleapis.com/google.protobuf.Empty" })
    );
    assert_eq!(code(host.get(&one)), Code::NotFound);
    let operations = host.get(&format!("{V2}/operations")).unwrap();
    assert_eq!(operations["operations"].as_array().unwrap().len(), 3);
}

#[test]
fn python_deals_with_a_function_of_the_first_generation() {
    let host = Host::new();
    let functions = format!("{V1}/functions");
    let upload = host
        .call(
            "POST",
            &format!("{functions}:generateUploadUrl"),
            &json!({}),
        )
        .unwrap();
    assert_eq!(upload.as_object().unwrap().len(), 1);
    host.put(&upload["uploadUrl"], WASM).unwrap();
    let body = json!({ "name": "projects/local/locations/local/functions/hello_world", "httpsTrigger": { "securityLevel": 2 }, "entryPoint": "hello_world", "timeout": "5s", "availableMemoryMb": 64, "sourceUploadUrl": upload["uploadUrl"], "environmentVariables": { "MODE": "slow" }, "runtime": "wasi", "maxInstances": 3 });
    let operation = host.call("POST", &functions, &body).unwrap();
    let done = host.done(&operation);
    assert_eq!(done["metadata"]["type"], "CREATE_FUNCTION");
    let response = &done["response"];
    assert_eq!(
        response["@type"],
        "type.googleapis.com/google.cloud.functions.v1.CloudFunction"
    );
    assert_eq!(
        response["httpsTrigger"],
        json!({ "url": "http://127.0.0.1:8080/hello_world", "securityLevel": "SECURE_OPTIONAL" })
    );
    assert_eq!(
        (&response["maxInstances"], &response["timeout"]),
        (&json!(3), &json!("5s"))
    );

    let one = format!("{functions}/hello_world");
    assert_eq!(host.get(&one).unwrap()["versionId"], "1");
    let call = host.call("POST", &format!("{one}:call"), &json!({ "data": "{}" }));
    assert_eq!(code(call), Code::FailedPrecondition, "nobody serves it");
    let operations = host.get("/v1/operations").unwrap();
    assert_eq!(operations["operations"], json!([done]));
    host.done(&host.call("DELETE", &one, &Value::Null).unwrap());
    assert_eq!(code(host.get(&one)), Code::NotFound);
}

#[test]
fn gcloud_finds_a_function_of_the_first_generation_by_the_second_and_lists_it_once() {
    let host = Host::new();
    let runtimes = format!("{V2}/runtimes?alt=json&filter=name%3Dwasi+AND+environment%3DGEN_1");
    let runtimes = host.get(&runtimes).unwrap();
    assert_eq!(runtimes["runtimes"].as_array().unwrap().len(), 1);
    let object = host.upload(WASM)["object"].as_str().unwrap().to_owned();
    let upload = format!(
        "{}/upload/{}",
        super::ORIGIN,
        object.trim_end_matches(".zip")
    );
    let body = json!({ "availableMemoryMb": 64, "dockerRegistry": "ARTIFACT_REGISTRY", "entryPoint": "hello", "environmentVariables": { "MODE": "slow" }, "httpsTrigger": { "securityLevel": "SECURE_ALWAYS" }, "labels": { "deployment-tool": "cli-gcloud" }, "name": "projects/local/locations/local/functions/hello_one", "runtime": "wasi", "sourceUploadUrl": upload });
    host.done(
        &host
            .call("POST", &format!("{V1}/functions?alt=json"), &body)
            .unwrap(),
    );
    host.create("hello_two");

    let one = host
        .get(&format!("{V2}/functions/hello_one?alt=json"))
        .unwrap();
    assert_eq!(one["environment"], "GEN_1");
    assert_eq!(one["buildConfig"]["dockerRegistry"], "ARTIFACT_REGISTRY");
    let names = |target: String| -> Vec<String> {
        let list = host.get(&target).unwrap();
        let functions = list["functions"].as_array().unwrap().iter();
        functions
            .map(|function| function["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let full = |name| format!("projects/local/locations/local/functions/{name}");
    let second = "/v2/projects/local/locations/-/functions?alt=json&filter=environment%3D%22GEN_2%22&pageSize=100";
    assert_eq!(names(second.into()), [full("hello_two")]);
    assert_eq!(
        names("/v1/projects/local/locations/-/functions?alt=json&pageSize=100".into()),
        [full("hello_one")]
    );
    assert_eq!(
        names(format!("{V2}/functions")),
        [full("hello_one"), full("hello_two")]
    );

    let mut body = host.get(&format!("{V1}/functions/hello_one")).unwrap();
    body["environmentVariables"]["A"] = json!("B");
    body["availableMemoryMb"] = json!(1);
    let mask = "updateMask=dockerRegistry%2CenvironmentVariables%2CsourceUploadUrl";
    let patch = format!("{V1}/functions/hello_one?alt=json&{mask}");
    host.done(&host.call("PATCH", &patch, &body).unwrap());
    let after = host.get(&format!("{V1}/functions/hello_one")).unwrap();
    assert_eq!(
        after["environmentVariables"],
        json!({ "A": "B", "MODE": "slow" })
    );
    assert_eq!(
        (&after["availableMemoryMb"], &after["versionId"]),
        (&json!(64), &json!("2"))
    );
}

#[test]
fn gcloud_finds_the_runtimes_of_languages() {
    let host = Host::new();
    let runtimes = host.get(&format!("{V2}/runtimes?alt=json")).unwrap();
    for name in ["wasi", "python312", "nodejs20", "java17"] {
        let expected = json!({ "name": name, "environment": "GEN_2" });
        let mut all = runtimes["runtimes"].as_array().unwrap().iter();
        let is_there = all.any(|runtime| {
            runtime["name"] == expected["name"] && runtime["environment"] == "GEN_2"
        });
        assert!(is_there, "{name}");
    }
}

#[test]
fn what_this_host_does_not_do_is_said() {
    let host = Host::new();
    host.create("f");
    for (verb, path) in [
        ("POST", format!("{V1}/functions/f:generateDownloadUrl")),
        ("POST", format!("{V2}/functions/f:generateDownloadUrl")),
        ("POST", format!("{V2}/operations/x:cancel")),
    ] {
        assert_eq!(
            code(host.call(verb, &path, &json!({}))),
            Code::Unimplemented,
            "{path}"
        );
    }
}

#[test]
fn lists_have_pages() {
    let host = Host::new();
    for name in ["a", "b", "c"] {
        host.create(name);
    }
    for list in ["functions", "operations"] {
        let first = host.get(&format!("{V2}/{list}?pageSize=2")).unwrap();
        assert_eq!(first[list].as_array().unwrap().len(), 2);
        let token = first["nextPageToken"].as_str().unwrap();
        let second = host
            .get(&format!("{V2}/{list}?pageSize=2&pageToken={token}"))
            .unwrap();
        assert_eq!(second[list].as_array().unwrap().len(), 1);
        assert_eq!(second.get("nextPageToken"), None);
    }
}

#[test]
fn a_call_as_an_account_is_made_for_those_who_may_have_its_tokens() {
    let host = Host::new();
    host.create("f");
    let caller = host.account("caller");
    let settings = |settings| {
        Ok(FunctionSettings {
            invokers: [format!("serviceAccount:{caller}")].into(),
            ..settings
        })
    };
    let name = "f".parse().unwrap();
    host.store().deploy(&name, None, settings).unwrap();
    let _lock = host.serve("http://127.0.0.1:1");
    let developer = host.grant(
        &PolicyOf::Project,
        "roles/cloudfunctions.developer",
        &host.account("developer"),
    );
    let call = || {
        let target = format!("{V1}/functions/f:call");
        let called = host.call_as(developer.clone(), "POST", &target, &json!({}));
        called.unwrap_err()
    };
    let refused = call();
    assert_eq!(refused.code, Code::PermissionDenied);
    let needed = "iam.serviceAccounts.getOpenIdToken";
    assert!(refused.message.contains(needed), "{refused}");
    host.grant(
        &PolicyOf::ServiceAccount(caller.clone()),
        "roles/iam.serviceAccountTokenCreator",
        "developer@host.internal",
    );
    // Nobody answers there, or there is no key yet to sign the token with.
    assert_ne!(call().code, Code::PermissionDenied);
}

#[test]
fn a_call_over_the_api_is_made_to_the_function_and_its_answer_told() {
    for (answer, expected) in [
        (
            "HTTP/1.1 200 OK\r\nFunction-Execution-Id: x1\r\nContent-Length: 2\r\n\r\nhi",
            json!({ "executionId": "x1", "result": "hi" }),
        ),
        (
            "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 4\r\n\r\noops",
            json!({ "executionId": "", "error": "oops" }),
        ),
    ] {
        let host = Host::new();
        host.create("f");
        let _lock = host.serve(&function_server(answer));
        let call = |body: Value| host.call("POST", &format!("{V1}/functions/f:call"), &body);
        let data = json!({ "data": "{\"name\": \"call\"}" });
        assert_eq!(
            code(call(data.clone())),
            Code::FailedPrecondition,
            "no account may call it"
        );
        let open = |settings| {
            Ok(FunctionSettings {
                allow_unauthenticated: true,
                ..settings
            })
        };
        host.store()
            .deploy(&"f".parse().unwrap(), None, open)
            .unwrap();
        assert_eq!(call(data).unwrap(), expected);
    }
}

#[test]
fn a_call_is_made_as_the_first_account_that_gives_a_token_on_the_function_or_the_project() {
    let host = Host::new();
    host.create("f");
    let keys = OwnIssuer::of(host.store(), Some("ES256".parse().unwrap())).unwrap();
    keys.keep_keys(host.store(), SystemTime::now()).unwrap();
    let disabled = host.account("disabled");
    let changed = host.store().change_service_account(&disabled, |record| {
        record.is_disabled = true;
        Ok::<_, StoreError>(())
    });
    changed.unwrap();
    let invoker = "roles/cloudfunctions.invoker";
    host.grant(&PolicyOf::Project, invoker, &disabled);
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    let _lock = host.serve(&function_server(answer));
    let call = || {
        let target = format!("{V1}/functions/f:call");
        host.call("POST", &target, &json!({ "data": "{}" }))
    };
    let refused = call().unwrap_err();
    assert!(refused.message.contains("is disabled"), "{refused}");
    host.grant(&PolicyOf::Project, invoker, &host.account("enabled"));
    assert_eq!(call().unwrap()["result"], "hi");
}
