//! Functions are looked at.

use serde_json::{Value, json};

use super::filter::Filter;
use super::notes::notes;
use super::shown::Shown;
use super::{found, name};
use crate::api::{Api, Reply, Request, Status};
use crate::store::ApiGeneration;

/// `projects.locations.functions.get`.
pub(super) fn get(
    api: &Api,
    request: &Request<'_>,
    version: ApiGeneration,
) -> Result<Reply, Status> {
    let record = found(api, &name(request)?)?;
    let shown = Shown::of(api.store(), api.project(), record)?;
    Ok(shown.form(version).into())
}

/// `projects.locations.functions.list`. As with Google, v1 lists the functions of the first generation: gcloud asks both
/// versions, and shows what each answers.
pub(super) fn list(
    api: &Api,
    request: &Request<'_>,
    version: ApiGeneration,
) -> Result<Reply, Status> {
    let filter = match version {
        ApiGeneration::First => Filter::read(Some("environment=GEN_1"), &["environment"])?,
        ApiGeneration::Second => Filter::read(request.query.get("filter"), &["environment"])?,
    };
    let mut meant = Vec::new();
    for record in api.store().functions()? {
        let notes = notes(api.store(), &record.name)?;
        let generation = if notes.is_first_generation {
            "GEN_1"
        } else {
            "GEN_2"
        };
        if filter.takes("environment", generation) {
            meant.push(record);
        }
    }
    let (records, next) = request.page()?.of(meant, |record| record.name.to_string());
    let functions = records.into_iter().map(|record| {
        let shown = Shown::of(api.store(), api.project(), record)?;
        Ok(shown.form(version))
    });
    let functions: Vec<Value> = functions.collect::<Result<_, Status>>()?;
    let mut answer = json!({ "functions": functions });
    if let Some(next) = next {
        answer["nextPageToken"] = json!(next);
    }
    Ok(answer.into())
}
