//! A function in the form of either version of the API.

use serde_json::Value;

use super::notes::Description;
use super::{v1_form, v2_form};
use crate::api::fields::Fields;
use crate::api::mask::{self, Mask};
use crate::api::{Request, Status};
use crate::store::ApiGeneration;

/// The function that `document` describes, if it was `before` until now.
///
/// # Errors
/// If a field is of another type, out of its bounds, or wants what this host has not.
pub(super) fn description(
    version: ApiGeneration,
    document: &Value,
    before: &Description,
) -> Result<Description, Status> {
    match version {
        ApiGeneration::First => v1_form::description(document, before),
        ApiGeneration::Second => v2_form::description(document, before),
    }
}

/// `before`, with what `new` has of the fields in `mask`, or with all that it has.
///
/// # Errors
/// As [`description`].
pub(super) fn changed(
    version: ApiGeneration,
    before: &Description,
    new: &Value,
    mask: Option<&Mask>,
) -> Result<Description, Status> {
    let mut document = match version {
        ApiGeneration::First => v1_form::of_description(before),
        ApiGeneration::Second => v2_form::of_description(before),
    };
    match mask {
        Some(mask) => mask.apply(&mut document, new),
        None => replace(&mut document, new),
    }
    description(version, &document, before)
}

/// The parts of a function in v2 whose fields are changed one by one.
const PARTS: [&str; 2] = ["buildConfig", "serviceConfig"];

/// Gives `document` all fields of `new`.
fn replace(document: &mut Value, new: &Value) {
    for (field, value) in new.as_object().into_iter().flatten() {
        match document.get_mut(field) {
            Some(part) if PARTS.contains(&field.as_str()) => mask::replace(part, value),
            _ => document[field.as_str()] = value.clone(),
        }
    }
}

fn fields(version: ApiGeneration) -> &'static [&'static str] {
    match version {
        ApiGeneration::First => v1_form::FIELDS,
        ApiGeneration::Second => v2_form::FIELDS,
    }
}

/// Makes sure that `mask` names no field but those that can be changed.
///
/// # Errors
/// If it does.
pub(super) fn check_mask(version: ApiGeneration, mask: &Mask) -> Result<(), Status> {
    mask.check(|field| fields(version).contains(&field))
}

/// Google's clients may know fields that this host does not; a command of this program may not.
///
/// # Errors
/// If there is a field that this host does not know.
pub(super) fn check_fields(
    request: &Request<'_>,
    version: ApiGeneration,
    document: &Value,
) -> Result<(), Status> {
    match request.is_own_client {
        true => Fields::of(document).only(fields(version)),
        false => Ok(()),
    }
}
