//! How a command reaches the methods of the control plane.
//!
//! Over the network if an endpoint is named; else by the socket of the process that serves the state directory; else, where
//! none serves, in this process. What is answered is the same each time.

mod remote;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use clap::Args;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::Message;
use super::compiler::compiler;
use super::state::StateDirectory;
use super::trial::Trial;
use crate::api::{Api, AuditEntry, Call, Caller, Code, LogAccess, Reply, Status};
use crate::config::HostSettings;
use crate::console::socket;
use crate::stderr;
use crate::store::{FunctionSettings, Store};
use host_sandbox::compiler::Compiler;
pub(super) use remote::{Lines, Remote};

/// Which host a command is for.
#[derive(Args)]
#[command(next_help_heading = "Host")]
pub(super) struct ClientArgs {
    #[command(flatten)]
    pub(super) state: StateDirectory,

    /// The control plane of a host elsewhere, such as https://host.example:8081
    #[arg(long, env = "HOST_ENDPOINT", value_name = "URL")]
    endpoint: Option<String>,

    /// The file with the access token for --endpoint
    #[arg(long, env = "HOST_ACCESS_TOKEN_FILE", value_name = "FILE")]
    access_token_file: Option<PathBuf>,

    /// Trust these certificate authorities (PEM) as well, where --endpoint speaks TLS
    #[arg(long, env = "HOST_ENDPOINT_CA", value_name = "FILE")]
    endpoint_ca: Option<PathBuf>,

    /// The host's project; another one than the host has is an error
    #[arg(long, value_name = "PROJECT")]
    pub(super) project: Option<String>,

    /// The host's location; another one than the host has is an error
    #[arg(long, visible_alias = "region", value_name = "LOCATION")]
    pub(super) location: Option<String>,
}

/// How a component that is to be deployed is tried, if that is done in this process.
pub(super) struct Trying {
    /// What compiles it.
    pub(super) compiler: Compiler,
    /// What it goes by in messages; the function's name if there is none.
    pub(super) name: Option<String>,
}

impl Default for Trying {
    fn default() -> Self {
        Self {
            compiler: compiler(&HostSettings::default()),
            name: None,
        }
    }
}

/// A host whose methods can be called.
pub(super) struct Client {
    way: Way,
    project: String,
    location: String,
}

enum Way {
    /// The methods, in this process.
    Process(Box<Api>),
    /// Another process, here or elsewhere.
    Remote(Box<Remote>),
}

/// How many items are asked for at once, at most.
const LARGEST_PAGE: usize = 500;
/// The most pages of a list that are read.
const MOST_PAGES: usize = 10_000;

/// How much of a file is read at once, in bytes.
const PART: usize = 256 << 10;
/// What stands before the id of an upload in its URL.
const UPLOAD: &str = "/upload/";

/// Stands for whatever the host's project or location is.
const ANY: &str = "-";

impl ClientArgs {
    /// The host, which has a store already unless it is elsewhere.
    ///
    /// # Errors
    /// If there is no store, or no way to the host.
    pub(super) fn client(&self) -> Result<Client, Message> {
        self.client_with(Trying::default())
    }

    /// As [`client`](Self::client). If a component is tried in this process, it is as `trying` says.
    ///
    /// # Errors
    /// As there.
    pub(super) fn client_with(&self, trying: Trying) -> Result<Client, Message> {
        self.connect(StateDirectory::store, trying)
    }

    /// The host, whose store is made if there is none.
    ///
    /// # Errors
    /// If the store cannot be made, or there is no way to the host.
    pub(super) fn client_or_new(&self) -> Result<Client, Message> {
        self.client_or_new_with(Trying::default())
    }

    /// As [`client_or_new`](Self::client_or_new). If a component is tried in this process, it is as `trying` says.
    ///
    /// # Errors
    /// As there.
    pub(super) fn client_or_new_with(&self, trying: Trying) -> Result<Client, Message> {
        self.connect(StateDirectory::store_or_new, trying)
    }

    /// The control plane that is named, if one is.
    pub(super) fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// The file with the token for that.
    pub(super) fn access_token_file(&self) -> Option<&Path> {
        self.access_token_file.as_deref()
    }

    /// The file with the authorities to trust there.
    pub(super) fn endpoint_ca(&self) -> Option<&Path> {
        self.endpoint_ca.as_deref()
    }

    fn connect(
        &self,
        open: impl FnOnce(&StateDirectory) -> Result<Store, Message>,
        trying: Trying,
    ) -> Result<Client, Message> {
        let way = match self.elsewhere()? {
            Some(remote) => Way::Remote(Box::new(remote)),
            None => self.here(open, trying)?,
        };
        let or_any = |name: &Option<String>| name.clone().unwrap_or_else(|| ANY.into());
        Ok(Client {
            way,
            project: or_any(&self.project),
            location: or_any(&self.location),
        })
    }

    /// The host that is named by its endpoint, if one is.
    ///
    /// # Errors
    /// If there is no way to it.
    pub(super) fn elsewhere(&self) -> Result<Option<Remote>, Message> {
        let (token, ca) = (&self.access_token_file, &self.endpoint_ca);
        let endpoint = self.endpoint.as_ref();
        let remote = endpoint.map(|url| Remote::elsewhere(url, token.as_deref(), ca.as_deref()));
        remote.transpose()
    }

    /// The way to the host of the state directory.
    fn here(
        &self,
        open: impl FnOnce(&StateDirectory) -> Result<Store, Message>,
        trying: Trying,
    ) -> Result<Way, Message> {
        let directory = self.state.directory()?;
        if socket::is_served(&directory) {
            return Ok(Way::Remote(Box::new(Remote::by_socket(directory)?)));
        }
        let store = Arc::new(open(&self.state)?);
        let log = LogAccess::of(Some(self.state.log_directory()?));
        let audit = log.clone();
        let api = Api::new(store, Box::new(move |entry| note(&audit, entry)));
        let api = api?.with_log(log);
        let cache = self.state.compile_cache();
        let try_out = move |name: &str, wasm, settings: &FunctionSettings| {
            let trial = Trial::new(cache.clone(), trying.compiler.clone())?;
            trial.run(trying.name.as_deref().unwrap_or(name), wasm, settings)
        };
        Ok(Way::Process(Box::new(
            api.trying_components(Box::new(try_out)),
        )))
    }
}

/// Writes an audit entry to the log. What was changed stays so if that fails.
fn note(log: &LogAccess, entry: AuditEntry) {
    if let Err(why) = log.write(vec![entry.into_entry()]) {
        stderr::line!("warning: no audit entry was written: {why}");
    }
}

impl Client {
    /// The path of the host's project in this version of an API, such as `/v1/projects/-`.
    pub(super) fn project(&self, version: &str) -> String {
        project_path(version, &self.project)
    }

    /// The path of the host's location in this version of an API, such as `/v1/projects/-/locations/-`.
    pub(super) fn location(&self, version: &str) -> String {
        let location = encoded(&self.location);
        format!("{}/locations/{location}", self.project(version))
    }

    /// Reads what is at `path`, which may have a query.
    ///
    /// # Errors
    /// If the method fails or cannot be reached.
    pub(super) fn get(&self, path: &str) -> Result<Value, Status> {
        self.call("GET", path, Bytes::new())
    }

    /// The items in the field `field` of the list at `path`, page after page, `most` at most.
    ///
    /// # Errors
    /// If the method fails or cannot be reached, or there is no end to the pages.
    pub(super) fn list(&self, path: &str, field: &str, most: usize) -> Result<Vec<Value>, Status> {
        let (mut items, mut token) = (Vec::new(), String::new());
        let and = if path.contains('?') { '&' } else { '?' };
        for _ in 0..MOST_PAGES {
            let size = LARGEST_PAGE.min(most - items.len());
            let page = self.get(&format!("{path}{and}pageSize={size}&pageToken={token}"))?;
            items.extend(page[field].as_array().into_iter().flatten().cloned());
            token = encoded(page["nextPageToken"].as_str().unwrap_or_default());
            if token.is_empty() || items.len() >= most {
                items.truncate(most);
                return Ok(items);
            }
        }
        let message = format!("the list has more than {MOST_PAGES} pages");
        Err(Status::new(Code::ResourceExhausted, message))
    }

    /// Sends `document` to `path`.
    ///
    /// # Errors
    /// If the method fails or cannot be reached.
    pub(super) fn post(&self, path: &str, document: &Value) -> Result<Value, Status> {
        self.call("POST", path, document.to_string().into())
    }

    /// Changes what is at `path`, whose query says which fields.
    ///
    /// # Errors
    /// If the method fails or cannot be reached.
    pub(super) fn patch(&self, path: &str, document: &Value) -> Result<Value, Status> {
        self.call("PATCH", path, document.to_string().into())
    }

    /// Makes `document` what is at `path`.
    ///
    /// # Errors
    /// If the method fails or cannot be reached.
    pub(super) fn put(&self, path: &str, document: &Value) -> Result<Value, Status> {
        self.call("PUT", path, document.to_string().into())
    }

    /// Removes what is at `path`.
    ///
    /// # Errors
    /// If the method fails or cannot be reached.
    pub(super) fn delete(&self, path: &str) -> Result<Value, Status> {
        self.call("DELETE", path, Bytes::new())
    }

    /// Whether it was named by its endpoint.
    pub(super) fn is_elsewhere(&self) -> bool {
        matches!(&self.way, Way::Remote(remote) if remote.is_elsewhere())
    }

    /// Whether its methods are called in this process, because no other one serves.
    pub(super) fn is_this_process(&self) -> bool {
        matches!(self.way, Way::Process(_))
    }

    /// Puts `bytes` where `url` says, which the host has told.
    ///
    /// # Errors
    /// If it is not where a host has uploads, the host does not take it, or it cannot be reached.
    pub(super) fn upload(&self, url: &str, bytes: Bytes) -> Result<(), Status> {
        // The host may not know by which name it is reached from here.
        let (_, id) = url.rsplit_once(UPLOAD).ok_or_else(|| {
            let message = format!("the host has uploads at `{url}`, which is not known here");
            Status::new(Code::Internal, message)
        })?;
        match &self.way {
            Way::Remote(remote) => {
                let put = remote.call("PUT", &format!("{UPLOAD}{id}"), bytes);
                put.map(drop)
            }
            Way::Process(api) => api.upload(id, bytes),
        }
    }

    /// Calls the method of `verb` and `path` with `body`.
    ///
    /// # Errors
    /// If the method fails or cannot be reached.
    pub(super) fn call(&self, verb: &str, path: &str, body: Bytes) -> Result<Value, Status> {
        let api = match &self.way {
            Way::Remote(remote) => return remote.call(verb, path, body),
            Way::Process(api) => api,
        };
        let call = own_call(verb, path, body);
        match api.call(&Caller::owner(), call)? {
            Reply::Json(document) => Ok(document),
            Reply::File(..) | Reply::Stream(_) => Ok(Value::Null),
        }
    }

    /// Gives `write` the file of the media type `kind` at `path`, part by part.
    ///
    /// # Errors
    /// If the method fails or cannot be reached, the file does not come whole, or `write` fails.
    pub(super) fn download(
        &self,
        path: &str,
        kind: &str,
        mut write: impl FnMut(&[u8]) -> Result<(), Message>,
    ) -> Result<(), Message> {
        let api = match &self.way {
            Way::Remote(remote) => return remote.download(path, kind, write),
            Way::Process(api) => api,
        };
        let reply = api.call(&Caller::owner(), own_call("GET", path, Bytes::new()))?;
        let Reply::File(_, mut file) = reply else {
            return Err(format!("what is at {path} is no file"));
        };
        let mut part = vec![0; PART];
        loop {
            let read = file.read(&mut part);
            match read.map_err(|error| format!("cannot read what is at {path}: {error}"))? {
                0 => return Ok(()),
                length => write(&part[..length])?,
            }
        }
    }
}

/// A call of the method of `verb` and `path`, which may have a query.
fn own_call<'a>(verb: &'a str, path: &'a str, body: Bytes) -> Call<'a> {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Call {
        verb,
        path,
        query,
        body,
        origin: String::new(),
        is_own_client: true,
    }
}

/// The path of the project `id` in this version of an API.
pub(super) fn project_path(version: &str, id: &str) -> String {
    format!("/{version}/projects/{}", encoded(id))
}

/// What is encoded. A name of one hyphen, which stands for any, stays readable in paths.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-');

/// `text` as a part of a path or of a query.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_path_stays_one_part_of_it() {
        for (id, path) in [
            ("-", "/v1/projects/-"),
            ("my-project", "/v1/projects/my-project"),
            ("a/b?c:d%", "/v1/projects/a%2Fb%3Fc%3Ad%25"),
        ] {
            assert_eq!(project_path("v1", id), path);
        }
    }
}
