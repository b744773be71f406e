//! Functions as clients of Google's deal with them.

mod clients;
mod deployments;
mod rights;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::api::{Api, Call, Caller, Code, Principal, Reply, Status};
use crate::settings::FunctionSettings;
use crate::store::{PolicyOf, ServeLock, ServingHost, Store};

const ORIGIN: &str = "http://127.0.0.1:8081";
const V2: &str = "/v2/projects/local/locations/local";
const V1: &str = "/v1/projects/local/locations/local";

/// A component, as far as anyone here looks at it.
const WASM: &[u8] = b"\0asm one";
/// One that cannot be served.
const BAD: &[u8] = b"\0asm bad";

/// A host whose functions nobody serves until it begins to.
struct Host {
    directory: TempDir,
    api: Api,
}

fn try_component(_: &str, wasm: Bytes, _: &FunctionSettings) -> Result<(), String> {
    match wasm == BAD {
        true => Err("it imports wasi:nn".into()),
        false => Ok(()),
    }
}

impl Host {
    fn new() -> Self {
        Self::trying(try_component)
    }

    fn trying(
        trial: impl Fn(&str, Bytes, &FunctionSettings) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Arc::new(Store::open(directory.path()).unwrap());
        let api = Api::new(store, Box::new(drop)).unwrap();
        let api = api.trying_components(Box::new(trial));
        Self { directory, api }
    }

    fn store(&self) -> &Store {
        self.api.store()
    }

    /// Has this process be one that serves, and looks at no function by itself.
    fn serve(&self, url: &str) -> ServeLock {
        let host = ServingHost {
            pid: 1,
            url: url.to_owned(),
            public_url: None,
            public_urls: Vec::new(),
            issuer: ORIGIN.into(),
            serves_functions: true,
            issuers: Vec::new(),
            config: None,
            component: None,
        };
        self.store().begin_serving(&host).unwrap();
        self.store().lock_for_serving().unwrap()
    }

    fn call_as(
        &self,
        principal: Principal,
        verb: &str,
        target: &str,
        body: &Value,
    ) -> Result<Value, Status> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let caller = Caller {
            principal,
            ..Caller::owner()
        };
        let body = if body.is_null() {
            Bytes::new()
        } else {
            body.to_string().into()
        };
        let call = Call {
            verb,
            path,
            query,
            body,
            origin: ORIGIN.into(),
            is_own_client: false,
        };
        match self.api.call(&caller, call)? {
            Reply::Json(document) => Ok(document),
            reply => panic!("not a document: {reply:?}"),
        }
    }

    fn call(&self, verb: &str, target: &str, body: &Value) -> Result<Value, Status> {
        self.call_as(Principal::Owner, verb, target, body)
    }

    fn get(&self, target: &str) -> Result<Value, Status> {
        self.call("GET", target, &Value::Null)
    }

    /// Puts `bytes` where the host says, and answers the `storageSource`.
    fn upload(&self, bytes: &[u8]) -> Value {
        let url = format!("{V2}/functions:generateUploadUrl");
        let answer = self.call("POST", &url, &json!({})).unwrap();
        self.put(&answer["uploadUrl"], bytes).unwrap();
        answer["storageSource"].clone()
    }

    fn put(&self, url: &Value, bytes: &[u8]) -> Result<(), Status> {
        let url = url.as_str().unwrap();
        let id = url.strip_prefix(&format!("{ORIGIN}/upload/")).unwrap();
        self.api.check_upload(id)?;
        self.api.upload(id, Bytes::copy_from_slice(bytes))
    }

    fn begin_create(&self, name: &str, bytes: &[u8]) -> Result<Value, Status> {
        let source = json!({ "storageSource": self.upload(bytes) });
        let function = json!({ "buildConfig": { "source": source } });
        let target = format!("{V2}/functions?functionId={name}");
        self.call("POST", &target, &function)
    }

    /// Creates a function, which is done once this returns.
    fn create(&self, name: &str) -> Value {
        let operation = self.begin_create(name, WASM).unwrap();
        let done = self.done(&operation);
        assert!(done["response"].is_object(), "{done}");
        done
    }

    /// Asks for an operation until it is done.
    fn done(&self, operation: &Value) -> Value {
        let name = operation["name"].as_str().unwrap();
        let version = if name.starts_with("operations/") {
            "v1"
        } else {
            "v2"
        };
        let begun = Instant::now();
        loop {
            let operation = self.get(&format!("/{version}/{name}")).unwrap();
            if operation["done"] == true {
                return operation;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{operation}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the function `name` has this revision.
    fn await_revision(&self, name: &str, revision: u32) {
        let begun = Instant::now();
        let name = name.parse().unwrap();
        while self
            .store()
            .function(&name)
            .map_or(0, |record| record.revision)
            < revision
        {
            assert!(begun.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Gives a service account this role on a resource.
    fn grant(&self, of: &PolicyOf, role: &str, account: &str) -> Principal {
        let member = format!("serviceAccount:{account}");
        let changed = self.store().change_policy(of, |mut bindings, _| {
            bindings.entry(role.to_owned()).or_default().insert(member);
            Ok::<_, crate::store::StoreError>(bindings)
        });
        changed.unwrap();
        Principal::ServiceAccount(account.parse().unwrap())
    }

    fn account(&self, name: &str) -> String {
        let email = format!("{name}@host.internal");
        self.store()
            .create_service_account(&email, name, "")
            .unwrap();
        email
    }
}

fn code(result: Result<Value, Status>) -> Code {
    result.unwrap_err().code
}

/// Answers one request with `answer`, at the URL that it tells, and then says nothing more for a while.
pub(super) fn function_server(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        // All bodies of these tests end so.
        while !request.ends_with(b"}") {
            let mut part = [0; 1024];
            let read = connection.read(&mut part).unwrap();
            request.extend_from_slice(&part[..read]);
        }
        connection.write_all(answer.as_bytes()).unwrap();
        std::thread::sleep(Duration::from_secs(2));
    });
    url
}
