//! Functions: Cloud Functions v1 and v2. Both show the same functions.
//!
//! <https://cloud.google.com/functions/docs/reference/rest>

mod address;
mod allowed;
mod call;
mod call_limit;
mod change;
mod changes;
mod deploy;
mod deployer;
mod described;
mod filter;
mod form;
mod host_form;
mod interrupted;
mod methods;
mod notes;
mod operations;
mod read;
mod runtimes;
mod settle;
mod shown;
mod source;
mod state;
#[cfg(test)]
mod tests;
mod unsupported;
mod uploads;
mod v1_form;
mod v2_form;
mod wanted;

pub(crate) use address::{base_url, public_urls};
pub(crate) use call::{FunctionCall, GRACE, no_account};
pub(crate) use call_limit::CallLimit;
pub(crate) use deployer::{Deployer, TryComponent};
pub(super) use methods::METHODS;
pub(super) use operations::require_on_target;
pub(super) use settle::settle;

use super::{Api, Request, Status};
use crate::store::{FunctionName, FunctionRecord, NameError, StoreError};

/// The function that the path names.
fn name(request: &Request<'_>) -> Result<FunctionName, Status> {
    let name = request.params.get("function");
    name.parse()
        .map_err(|error: NameError| Status::invalid(error.to_string()))
}

fn full_name(api: &Api, name: &FunctionName) -> String {
    api.project().of("functions", name)
}

fn found(api: &Api, name: &FunctionName) -> Result<FunctionRecord, Status> {
    api.store().function(name).map_err(|error| match error {
        StoreError::NoFunction { .. } => Status::from(error).about(&full_name(api, name)),
        error => error.into(),
    })
}
