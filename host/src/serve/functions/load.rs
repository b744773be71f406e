//! From a component and its settings to a function that can be called.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use bytes::Bytes;

use super::catalog::{Permits, Served};
use super::shares::MemoryShares;
use crate::advice;
use crate::identity::access::function_access;
use crate::serve::keyvalue::{BucketOptions, KeyValues};
use crate::store::{BucketName, FunctionRecord, FunctionSettings};
use host_sandbox::memory::MemoryShare;
use host_sandbox::{Function, FunctionConfig, Limits, LoadError, OutboundPolicy, Sandbox, Warm};

/// Loads functions, each on the thread that asks for it.
#[derive(Clone)]
pub(in crate::serve) struct Loader {
    pub(in crate::serve) sandbox: Sandbox,
    /// How long a client may pause within a request body.
    pub(in crate::serve) request_idle: Duration,
    /// Addresses by which callers know the listener.
    pub(in crate::serve) public_urls: Vec<String>,
    /// The name of the component of the command line: metrics and log entries of both would be one.
    pub(in crate::serve) taken: Option<String>,
    pub(in crate::serve) shares: Arc<MemoryShares>,
    pub(in crate::serve) keyvalue: Arc<KeyValues>,
}

impl Loader {
    /// The function of `record`, with its component if there is one. Beside its own invokers, those `of_project` may call.
    ///
    /// # Errors
    /// Why it cannot be served, in one line.
    pub(in crate::serve) fn load_record(
        &self,
        record: &FunctionRecord,
        of_project: &BTreeSet<String>,
        wasm: Option<Vec<u8>>,
    ) -> Result<Served, String> {
        if self.taken.as_deref() == Some(record.name.as_str()) {
            return Err(
                "the component that is served beside it goes by the same name; start the host with --name for that one"
                    .into(),
            );
        }
        record.check().map_err(|error| error.to_string())?;
        let settings = &record.settings;
        let wasm = wasm.ok_or("its component is gone; deploy it again with --source")?;
        Ok(Served {
            function: self.load(
                record.name.as_str(),
                wasm.into(),
                settings,
                self.shares.of(record.name.as_str()),
            )?,
            name: record.name.as_str().into(),
            access: function_access(record, of_project, &self.public_urls)?,
            permits: Permits::new(settings.concurrency, settings.max_instances),
            hosts: settings.hosts.clone(),
        })
    }

    /// The function `name` of the component `wasm` with this share of the memory, of which an instance has been made for a
    /// trial.
    ///
    /// # Errors
    /// Why it cannot be served, in one line.
    pub(in crate::serve) fn load(
        &self,
        name: &str,
        wasm: Bytes,
        settings: &FunctionSettings,
        memory_share: Option<MemoryShare>,
    ) -> Result<Function, String> {
        let mut config = function_config(settings)?;
        config.name = Some(name.to_owned());
        config.memory_share = memory_share;
        let own = BucketName::Function(name.to_owned());
        config.keyvalue = Some(self.keyvalue.of(own, BucketOptions::of(settings)));
        config.limits.request_idle = self.request_idle;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let load = async {
            let function = self.sandbox.load_bytes(wasm, config).await?;
            function.try_instance().await?;
            Ok(function)
        };
        runtime
            .block_on(load)
            .map_err(|error: LoadError| advice::load_error(&error))
    }
}

/// Makes an instance of the component `wasm`, which goes by `name`, as it would be served with `settings`. Blocks for as long
/// as it takes to compile.
///
/// # Errors
/// Why it could not be served, in one line.
pub(crate) fn try_component(
    sandbox: &Sandbox,
    name: &str,
    wasm: Bytes,
    settings: &FunctionSettings,
) -> Result<(), String> {
    let mut config = function_config(settings)?;
    config.name = Some(name.to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    let tried = runtime.block_on(async {
        let function = sandbox.load_bytes(wasm, config).await?;
        function.try_instance().await
    });
    tried.map_err(|error: LoadError| advice::load_error(&error))
}

/// Does `work` on each of `items`, on as many threads as there are cores, and gathers what comes of it in no certain
/// order.
pub(in crate::serve) fn in_parallel<T: Send, R: Send>(
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = cores.min(items.len());
    let left = Mutex::new(items);
    let next = || left.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let work_on = || std::iter::from_fn(next).map(&work).collect::<Vec<_>>();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work_on)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap_or_default())
            .collect()
    })
}

/// The largest secret, in bytes.
const LARGEST_SECRET: u64 = 64 << 10;

/// What the sandbox is told of a function.
///
/// # Errors
/// Why it cannot be served, in one line.
pub(crate) fn function_config(settings: &FunctionSettings) -> Result<FunctionConfig, String> {
    let mut outbound = OutboundPolicy::default();
    for allowed in &settings.allow_outbound {
        outbound.allow(allowed).map_err(|error| error.to_string())?;
    }
    let mut environment = settings.environment.clone();
    for (name, file) in &settings.secrets {
        let secret = secret(file)
            .map_err(|error| format!("cannot read the secret {}: {error}", file.display()))?;
        environment.insert(name.clone(), secret);
    }
    let limits = Limits::default()
        .memory(settings.memory)
        .wall_time(settings.timeout)
        .request_body(settings.max_request_body)
        .response_body(settings.max_response_body)
        .log_output(usize::try_from(settings.log_limit).unwrap_or(usize::MAX));
    Ok(FunctionConfig::default()
        .limits(limits)
        .environment(environment.into_iter().collect())
        .config(settings.config.clone().into_iter().collect())
        .outbound(outbound)
        .warm(warm(settings)?))
}

/// How its instances are kept, if they are.
fn warm(settings: &FunctionSettings) -> Result<Option<Warm>, String> {
    let least = settings.min_instances;
    if !settings.warm {
        return match least {
            0 => Ok(None),
            _ => Err(
                "only warm instances can be made ahead of need: have the function warm \
                (`--warm`, `warm = true`), or leave out `min-instances`"
                    .into(),
            ),
        };
    }
    if least > 0 && settings.warm_concurrency > 1 {
        return Err(
            "instances that answer several requests at once are not made ahead of need: leave out \
            `min-instances` or `warm-concurrency`"
                .into(),
        );
    }
    if least > settings.max_idle_instances {
        return Err(format!(
            "`min-instances` is {least}, but only {} may lie idle (`max-idle-instances`); change one of them",
            settings.max_idle_instances
        ));
    }
    Ok(Some(
        Warm::default()
            .least(least)
            .most_idle(settings.max_idle_instances)
            .requests(settings.warm_requests)
            .idle_time(settings.warm_idle_time)
            .age(settings.warm_age)
            .memory_percent(settings.warm_memory)
            .concurrency(settings.warm_concurrency),
    ))
}

/// The text in `file`, without the line feed at its end.
fn secret(file: &Path) -> io::Result<String> {
    let file = File::open(file)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("is not a file"));
    }
    let mut text = String::new();
    if file.take(LARGEST_SECRET + 1).read_to_string(&mut text)? as u64 > LARGEST_SECRET {
        return Err(io::Error::other("is larger than 64 KiB"));
    }
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}
