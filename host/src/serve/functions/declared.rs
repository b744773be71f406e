//! Keeps the store's declared functions like a configuration file.
//!
//! What the file takes away takes effect at once: callers whom it names no longer, functions that it makes private or
//! has no more, and issuers. Of the rest the whole file takes effect or nothing: what it declares is tried first, and
//! only if all of it can be served does the store hear of it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use super::load::{Loader, in_parallel};
use crate::advice;
use crate::config::{ConfigError, ConfigFile, Declared, HostSettings};
use crate::identity::OutsideIssuer;
use crate::input;
use crate::scheduler;
use crate::serve::error::ServeError;
use crate::serve::trust::board::TrustBoard;
use crate::serve::watch::WatchedFile;
use crate::store::{Declaration, FunctionName, FunctionRecord, Store, Tightening, sha256};

/// Where the issuers of a file go, and those of the command line that stand beside them.
pub(in crate::serve) struct DeclaredIssuers {
    pub(in crate::serve) board: Arc<TrustBoard>,
    pub(in crate::serve) others: Vec<OutsideIssuer>,
}

/// A configuration file, and what has been made of it.
pub(in crate::serve) struct DeclaredFunctions {
    path: PathBuf,
    store: Arc<Store>,
    loader: Loader,
    issuers: DeclaredIssuers,
    /// What the file said of the process when it began.
    host: Option<HostSettings>,
    /// The file, and the components that it names.
    files: Vec<WatchedFile>,
}

impl DeclaredFunctions {
    pub(in crate::serve) fn new(
        path: PathBuf,
        store: Arc<Store>,
        loader: Loader,
        issuers: DeclaredIssuers,
    ) -> Self {
        Self {
            path,
            store,
            loader,
            issuers,
            host: None,
            files: Vec::new(),
        }
    }

    /// Reads the file, tells the store what functions it declares, and trusts its issuers. Blocks; runs within a runtime.
    ///
    /// # Errors
    /// What is wrong with the file or a component; then nothing is changed, but for what was taken away.
    pub(in crate::serve) fn apply(&mut self) -> Result<usize, ServeError> {
        // Watched before it is read: whatever is wrong, the next change is a reason to try again.
        self.files = vec![WatchedFile::new(&self.path)];
        let taken = self.take_away()?;
        self.apply_rest().map_err(|error| match taken.is_empty() {
            true => error,
            false => ServeError::Tightened {
                taken: taken.join("; "),
                error: error.into(),
            },
        })
    }

    /// Takes away what the file takes away, whatever is wrong with the rest of it, and says what that is. A host that
    /// begins serves nothing yet.
    fn take_away(&self) -> Result<Vec<String>, ServeError> {
        if self.host.is_none() {
            return Ok(Vec::new());
        }
        let Ok(file) = ConfigFile::parse(&self.path) else {
            return Ok(Vec::new());
        };
        let rights = file.rights();
        let tightened = self.store.tighten(&rights.functions)?;
        let mut taken: Vec<_> = tightened.iter().map(told).collect();
        let DeclaredIssuers { board, others } = &self.issuers;
        let gone = board.retain_outside(|url| {
            let mut others = others.iter();
            rights.issuers.contains(url) || others.any(|other| other.config.issuer() == url)
        })?;
        taken.extend(
            gone.iter()
                .map(|url| format!("tokens of {url} are refused")),
        );
        Ok(taken)
    }

    fn apply_rest(&mut self) -> Result<usize, ServeError> {
        // Watched before they are read, too.
        if let Ok(file) = ConfigFile::parse(&self.path) {
            let files = file.job_files();
            self.files.extend(files.map(|file| WatchedFile::new(&file)));
        }
        let file = ConfigFile::read(&self.path)?;
        let declared = file.functions();
        let sources = declared.iter().map(|function| function.source.as_path());
        self.files.extend(sources.map(WatchedFile::new));
        let records = self.store.functions()?.into_iter();
        let known = records
            .map(|record| (record.name.clone(), record))
            .collect();
        let checked = in_parallel(declared, |function| self.check(&file, function, &known));
        let declarations: Vec<_> = checked.into_iter().collect::<Result<_, _>>()?;
        let mut issuers = file.issuers()?;
        issuers.extend(self.issuers.others.iter().cloned());
        self.issuers.board.check_outside(&issuers)?;
        let jobs = file.jobs();
        self.store.check_jobs(jobs.iter().map(|job| &job.name))?;
        file.check_accounts(&self.store)?;
        let path = input::name(file.path());
        self.store.declare(&path, &declarations)?;
        scheduler::declare(&self.store, &path, &jobs, Timestamp::now())?;
        self.issuers.board.set_outside(&issuers)?;
        self.tell_of_host(file.host());
        Ok(declarations.len())
    }

    /// Whether the file or one of the components has changed, and is whole again.
    pub(in crate::serve) fn has_changed(&mut self) -> bool {
        // Each is looked at, so that none is late.
        let changed = self
            .files
            .iter_mut()
            .filter_map(|file| file.has_changed().then_some(()));
        changed.count() > 0
    }

    /// What the store is told of `function`, once it is clear that it can be served.
    fn check(
        &self,
        file: &ConfigFile,
        function: Declared,
        known: &HashMap<FunctionName, FunctionRecord>,
    ) -> Result<Declaration, ConfigError> {
        let Declared {
            name,
            source,
            settings,
        } = function;
        let bad = |message: String| file.bad_source(&name, &message);
        let read = self.loader.sandbox.read_component(&source);
        let wasm = Bytes::from(read.map_err(|error| bad(advice::named(&error, source.display())))?);
        let component = sha256(&wasm);
        let before = known.get(&name);
        let is_known = before.is_some_and(|before| before.component == component);
        if !is_known || before.is_some_and(|before| before.settings != settings) {
            let loaded = self
                .loader
                .load(name.as_str(), wasm.clone(), &settings, None);
            loaded.map_err(|error| bad(format!("{}: {error}", source.display())))?;
        }
        Ok(Declaration {
            name,
            component,
            wasm: (!is_known).then_some(wasm),
            settings,
        })
    }

    fn tell_of_host(&mut self, host: HostSettings) {
        match &self.host {
            None => self.host = Some(host),
            Some(before) if *before != host => {
                tracing::warn!("changes below [host] take effect when the host is started again")
            }
            Some(_) => {}
        }
    }
}

/// What was taken away of a function, in words.
fn told(taken: &Tightening) -> String {
    let Tightening {
        name,
        before,
        after,
    } = taken;
    let Some(after) = after else {
        return format!("`{name}` is removed");
    };
    if before.lets_anyone_in() {
        return format!("`{name}` is private");
    }
    let members = before.invokers.difference(&after.invokers).cloned();
    let rules = before.invoker_rules.iter();
    let rules = rules.filter(|rule| !after.invoker_rules.contains(rule));
    let rules = rules.map(|rule| format!("tokens of {} by a rule", rule.issuer));
    let audiences = before.audiences.iter();
    let audiences = audiences.filter(|audience| !after.audiences.contains(audience));
    let audiences = audiences.map(|audience| format!("tokens for {audience}"));
    let all: Vec<_> = members.chain(rules).chain(audiences).collect();
    format!("`{name}` no longer lets in {}", all.join(", "))
}
