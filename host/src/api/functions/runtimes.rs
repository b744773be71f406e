//! Runtimes: what the source of a function may be written in.

use serde_json::{Value, json};

use super::filter::Filter;
use super::notes::RUNTIME;
use crate::api::{Api, Reply, Request, Status};

/// Names of Google's runtimes. What is deployed is a component whatever the name is, but gcloud takes no name that is not in
/// the list.
const OF_GOOGLE: &[(&str, &str)] = &[
    ("dotnet8", ".NET 8"),
    ("go122", "Go 1.22"),
    ("go123", "Go 1.23"),
    ("go124", "Go 1.24"),
    ("go125", "Go 1.25"),
    ("java17", "Java 17"),
    ("java21", "Java 21"),
    ("nodejs20", "Node.js 20"),
    ("nodejs22", "Node.js 22"),
    ("nodejs24", "Node.js 24"),
    ("php83", "PHP 8.3"),
    ("php84", "PHP 8.4"),
    ("python310", "Python 3.10"),
    ("python311", "Python 3.11"),
    ("python312", "Python 3.12"),
    ("python313", "Python 3.13"),
    ("python314", "Python 3.14"),
    ("ruby33", "Ruby 3.3"),
    ("ruby34", "Ruby 3.4"),
];

/// `projects.locations.runtimes.list`.
pub(super) fn list(_: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let filter = Filter::read(request.query.get("filter"), &["name", "environment"])?;
    let names = [(RUNTIME, "WASI HTTP")].into_iter();
    let names = names.chain(OF_GOOGLE.iter().copied());
    let runtimes: Vec<Value> = names
        .flat_map(|(name, words)| ["GEN_1", "GEN_2"].map(|generation| (name, words, generation)))
        .filter(|(name, _, generation)| {
            filter.takes("name", name) && filter.takes("environment", generation)
        })
        .map(|(name, words, generation)| {
            json!({ "name": name, "displayName": words, "stage": "GA", "environment": generation })
        })
        .collect();
    Ok(json!({ "runtimes": runtimes }).into())
}
