//! What an operation does, from the upload to the function that is served.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::allowed::check_invokers;
use super::deployer::{Deployer, Deployment, Task};
use super::notes::Description;
use super::settle::{SettleError, settle, settle_deleted};
use super::shown::Shown;
use crate::api::{Code, Status};
use crate::archive::{self, Bounds, Upload};
use crate::settings::FunctionSettings;
use crate::store::{
    ApiGeneration, FunctionName, FunctionRecord, OperationOutcome, OperationRecord, OperationVerb,
    ServiceAccountRecord, StoreError, UploadId,
};

/// How many files a message names.
const NAMED: usize = 3;

impl Deployer {
    /// Does what `task` says, for `operation` on the function `name`. Answers the operation's response.
    ///
    /// # Errors
    /// If it cannot be done, or the function that was deployed is not served.
    pub(super) fn carry_out(
        &self,
        operation: &OperationRecord,
        name: &FunctionName,
        task: &Task,
    ) -> Result<Value, Status> {
        match task {
            Task::Deploy(deployment) => {
                let record = self.deploy(operation, name, deployment)?;
                self.deployed(operation, record)
            }
            Task::Delete => {
                self.store.delete_for_operation(&operation.id, name)?;
                self.deleted(name)
            }
        }
    }

    /// Ends `operation` with what came of it.
    pub(super) fn end(&self, operation: &OperationRecord, result: Result<Value, Status>) {
        let outcome = match result {
            Ok(response) => OperationOutcome::Response(response.to_string()),
            Err(status) => OperationOutcome::Error {
                code: status.code.number().into(),
                message: status.message,
            },
        };
        let ended = self
            .store
            .end_operation(&operation.id, &outcome, Timestamp::now());
        if let Err(error) = ended {
            tracing::error!("the operation {} was not ended: {error}", operation.id);
        }
    }

    /// Ends an operation of an earlier process, which has changed something.
    pub(super) fn resume(&self, operation: &OperationRecord) {
        let name = operation.operation.target.parse::<FunctionName>();
        let result = match name {
            Err(error) => Err(Status::new(Code::Internal, error.to_string())),
            Ok(name) if operation.operation.verb == OperationVerb::Delete => self.deleted(&name),
            Ok(name) => {
                let record = self.store.function(&name);
                let record = record.map_err(|error| SettleError::Gone(error).into());
                record.and_then(|record| self.deployed(operation, record))
            }
        };
        self.end(operation, result);
    }

    fn deploy(
        &self,
        operation: &OperationRecord,
        name: &FunctionName,
        deployment: &Deployment,
    ) -> Result<FunctionRecord, Status> {
        let uploaded = deployment.source.as_ref().map(|id| self.component(id));
        let uploaded = uploaded.transpose()?;
        let (settings, present) = match self.store.function_and_component(name)? {
            Some((record, wasm)) => (record.settings, wasm.map(Bytes::from)),
            None => (FunctionSettings::default(), None),
        };
        let before = Description::read(settings, &self.store.function_notes(name)?);
        let wanted = (deployment.change)(&before)?;
        let wasm = uploaded.clone().or(present).ok_or_else(|| {
            let message =
                format!("the component of the function `{name}` is gone; upload it again");
            Status::new(Code::FailedPrecondition, message)
        })?;
        (self.try_component)(name.as_str(), wasm, &wanted.settings).map_err(Status::invalid)?;
        // Why the change failed, whose message is all that the store passes on.
        let mut failure = None;
        let change = |settings, notes: String, accounts: &[ServiceAccountRecord]| {
            let before = Description::read(settings, &notes);
            let after = (deployment.change)(&before).and_then(|after| {
                check_invokers(&before.settings, &after.settings, accounts)?;
                after.into_parts()
            });
            after.map_err(|status| failure.insert(status).message.clone())
        };
        let deployed =
            self.store
                .deploy_for_operation(&operation.id, name, uploaded.as_deref(), change);
        let record = deployed.map_err(|error| failure.unwrap_or_else(|| error.into()))?;
        if let Some(upload) = &deployment.source
            && let Err(error) = self.store.remove_upload(upload)
        {
            // It expires by itself.
            tracing::warn!("an upload that was deployed was not removed: {error}");
        }
        Ok(record)
    }

    /// The component that was uploaded.
    fn component(&self, upload: &UploadId) -> Result<Bytes, Status> {
        let bytes = self.store.take_upload(upload, Timestamp::now());
        let bytes = bytes.map_err(|error| match error {
            error @ StoreError::Upload(_) => Status::invalid(error.to_string()),
            error => error.into(),
        })?;
        match archive::read(bytes, &Bounds::default()) {
            Ok(Upload::Component(wasm)) => Ok(wasm),
            Ok(Upload::Source(files)) => Err(Status::invalid(no_component(&files))),
            Err(error) => Err(Status::invalid(error.to_string())),
        }
    }

    /// The response of an operation that has deployed `record`, once it is served.
    fn deployed(
        &self,
        operation: &OperationRecord,
        record: FunctionRecord,
    ) -> Result<Value, Status> {
        settle(&self.store, &record)?;
        let version = operation.operation.generation;
        let mut function = Shown::of(&self.store, &self.project, record)?.form(version);
        function["@type"] = json!(match version {
            ApiGeneration::First => "type.googleapis.com/google.cloud.functions.v1.CloudFunction",
            ApiGeneration::Second => "type.googleapis.com/google.cloud.functions.v2.Function",
        });
        // Google's client for Python refuses an operation with a field that Google has not.
        if let Some(fields) = function.as_object_mut() {
            fields.remove("host");
        }
        Ok(function)
    }

    /// The response of an operation that has deleted `name`, once it is served no longer.
    fn deleted(&self, name: &FunctionName) -> Result<Value, Status> {
        settle_deleted(&self.store, name)?;
        Ok(json!({ "@type": "type.googleapis.com/google.protobuf.Empty" }))
    }
}

/// Why source files cannot be deployed.
fn no_component(files: &[String]) -> String {
    let mut names: Vec<String> = files
        .iter()
        .take(NAMED)
        .map(|path| path.escape_debug().to_string())
        .collect();
    if let more @ 1.. = files.len().saturating_sub(NAMED) {
        names.push(format!("{more} more"));
    }
    format!(
        "the upload has source code ({}) and no component; this host builds none yet: upload the folder with one .wasm file \
         beside them, or build it and use `host functions deploy --source FILE`",
        names.join(", ")
    )
}

impl From<SettleError> for Status {
    fn from(error: SettleError) -> Self {
        let code = match &error {
            SettleError::Store(_) => {
                tracing::error!("a function was not looked up: {error}");
                let message = "the host's store failed; the host's own log says why";
                return Self::new(Code::Internal, message);
            }
            SettleError::Gone(_) => Code::Aborted,
            SettleError::Late { .. } => Code::DeadlineExceeded,
            SettleError::Unservable { .. } => Code::FailedPrecondition,
        };
        Self::new(code, error.to_string())
    }
}
