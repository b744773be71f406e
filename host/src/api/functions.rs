//! Functions: Cloud Functions v1 and v2. Both show the same functions.
//!
//! <https://cloud.google.com/functions/docs/reference/rest>

mod address;
mod allowed;
mod call;
mod call_limit;
mod change;
mod deploy;
mod deployer;
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
pub(crate) use call::{FunctionCall, GRACE, first_account, no_account, token};
pub(crate) use call_limit::CallLimit;
pub(crate) use deployer::{Deployer, TryComponent};
pub(crate) use host_form::shown_settings;
pub(super) use methods::METHODS;
pub(super) use operations::require_on_target;
pub(crate) use settle::{not_served, settle, settle_deleted};
pub(crate) use state::FunctionState;

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
