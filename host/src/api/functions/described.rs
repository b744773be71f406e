//! A function as `host functions describe` shows it: its settings, each under its own name, beside what it is and where it
//! answers.

use serde_json::{Value, json};

use super::host_form::shown_settings;
use super::shown::Shown;
use super::{found, name};
use crate::api::{Api, Reply, Request, Status};

/// Describes one function.
pub(super) fn get(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let record = found(api, &name(request)?)?;
    let shown = Shown::of(api.store(), api.project(), record)?;
    Ok(described(&shown).into())
}

/// Describes all functions, a page at a time.
pub(super) fn list(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let functions = api.store().functions()?;
    let (records, next) = request
        .page()?
        .of(functions, |record| record.name.to_string());
    let functions = records.into_iter().map(|record| {
        let shown = Shown::of(api.store(), api.project(), record)?;
        Ok(described(&shown))
    });
    let functions: Vec<Value> = functions.collect::<Result<_, Status>>()?;
    let mut answer = json!({ "functions": functions });
    if let Some(next) = next {
        answer["nextPageToken"] = json!(next);
    }
    Ok(answer.into())
}

/// Secrets are shown by the file that they come from.
fn described(shown: &Shown) -> Value {
    let record = &shown.record;
    let mut value = json!({
        "name": record.name,
        "url": shown.url,
        "state": shown.state.to_string(),
        "revision": record.revision,
        "componentSha256": record.component,
        "createTime": record.created,
        "updateTime": record.updated,
    });
    if let Some(reason) = shown.state.reason() {
        value["stateMessage"] = json!(reason);
    }
    for (setting, shown) in shown_settings(&record.settings) {
        value[setting.shown_name()] = shown;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::super::state::FunctionState;
    use super::*;
    use crate::store::{FunctionRecord, FunctionSettings, Project, Store};

    #[test]
    fn the_state_is_a_word_and_its_reason_stands_beside_it() {
        let mut record = FunctionRecord {
            name: "f".parse().unwrap(),
            revision: 1,
            component: "0".into(),
            settings: FunctionSettings::default(),
            declared_in: None,
            created: "2026-11-23T14:00:00Z".into(),
            updated: "2026-11-23T14:00:00Z".into(),
            damage: None,
        };
        let store = Store::in_memory().unwrap();
        let shown = |record: &FunctionRecord| {
            Shown::of(&store, &Project::default(), record.clone()).unwrap()
        };
        let value = described(&shown(&record));
        assert_eq!(value["state"], "NOT SERVED");
        assert!(value.get("stateMessage").is_none(), "{value}");
        record.damage = Some("EOF".into());
        let value = described(&shown(&record));
        assert_eq!(
            (&value["state"], &value["stateMessage"]),
            (&json!("DAMAGED"), &json!("EOF"))
        );
        let failed = Shown {
            state: FunctionState::Failed("it is gone".into()),
            ..shown(&record)
        };
        let value = described(&failed);
        assert_eq!(
            (&value["state"], &value["stateMessage"]),
            (&json!("FAILED"), &json!("it is gone"))
        );
    }
}
