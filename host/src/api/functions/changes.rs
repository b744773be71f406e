//! Changes of a function as the flags of `host functions deploy` make them. What is not named stays as it is.
//!
//! Settings are named as `host functions describe` has them. One that is a map of texts is changed key by key, so that two
//! who change it at once lose nothing: `replace` takes the place of the whole, then the keys in `remove` go, then those in
//! `update` come.

use std::collections::BTreeMap;

use super::host_form::{change_by_hand, secret_file, text};
use super::notes::Description;
use super::wanted::{check_environment, set};
use crate::api::Status;
use crate::api::fields::Fields;
use crate::settings::{Flag, FunctionSettings, Setting, Settings};

/// What is noted beside the settings.
const NOTES: [&str; 2] = ["runtime", "entryPoint"];

/// `before`, changed as `changes` say.
///
/// # Errors
/// If there is a field that is not known, or a value that its setting may not have.
pub(super) fn apply(changes: Fields<'_>, before: &Description) -> Result<Description, Status> {
    let names: Vec<String> = FunctionSettings::ALL
        .iter()
        .map(Setting::shown_name)
        .collect();
    let known: Vec<&str> = names.iter().map(String::as_str).chain(NOTES).collect();
    changes.only(&known)?;
    let mut after = before.clone();
    for setting in FunctionSettings::ALL {
        change(changes, setting, &mut after.settings)?;
    }
    if let Some(runtime) = changes.text("runtime")? {
        after.notes.runtime = Some(runtime);
    }
    if let Some(entry_point) = changes.text("entryPoint")? {
        after.notes.entry_point = Some(entry_point);
    }
    Ok(after)
}

fn change(
    changes: Fields<'_>,
    setting: &Setting<FunctionSettings>,
    settings: &mut FunctionSettings,
) -> Result<(), Status> {
    let field = setting.shown_name();
    let Some(value) = changes.get(&field) else {
        return Ok(());
    };
    let map = changes.inner(&field);
    match setting.name {
        // The only one that may be absent: 0 stands for that, as it does in Google's forms.
        "max_instances" if *value == 0 => settings.max_instances = None,
        "service_account" => settings.service_account = changes.text(&field)?,
        "env_vars" => {
            change_map(map, &mut settings.environment, Ok)?;
            check_environment(&settings.environment)?;
        }
        "config" => change_map(map, &mut settings.config, Ok)?,
        "labels" => change_map(map, &mut settings.labels, Ok)?,
        "secrets" => change_map(map, &mut settings.secrets, secret_file)?,
        name => match setting.flag {
            Flag::Made { .. } => set(settings, name, &text(&field, value)?)?,
            Flag::ByHand(_) => change_by_hand(changes, name, &field, settings)?,
        },
    }
    Ok(())
}

fn change_map<V>(
    map: Fields<'_>,
    present: &mut BTreeMap<String, V>,
    read: impl Fn(String) -> Result<V, Status>,
) -> Result<(), Status> {
    map.only(&["replace", "remove", "update"])?;
    let read_all = |field: &str| {
        let texts: Vec<(String, String)> = map.map(field)?;
        let values = texts
            .into_iter()
            .map(|(name, text)| Ok((name, read(text)?)));
        values.collect::<Result<BTreeMap<_, _>, Status>>()
    };
    if map.get("replace").is_some() {
        *present = read_all("replace")?;
    }
    for name in map.list("remove")? {
        present.remove(&name);
    }
    present.extend(read_all("update")?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn applied(changes: &Value, before: &Description) -> Result<Description, Status> {
        apply(Fields::of(changes), before)
    }

    fn before() -> Description {
        let changes = json!({
            "memory": "64Mi",
            "timeout": "1500ms",
            "maxInstances": 3,
            "serviceAccountEmail": "a@example.com",
            "environmentVariables": { "update": { "A": "1", "B": "2" } },
            "secretFiles": { "replace": { "S": "/run/secret" } },
            "hosts": ["f.example.com"],
            "warm": true,
            "entryPoint": "main",
        });
        applied(&changes, &Description::default()).unwrap()
    }

    #[test]
    fn what_is_not_named_stays() {
        let before = before();
        assert_eq!(applied(&json!({}), &before), Ok(before.clone()));
        let after = applied(&json!({ "memory": "1Mi" }), &before).unwrap();
        assert_eq!(after.settings.memory, 1 << 20);
        assert_eq!(after.settings.timeout.as_millis(), 1500);
        assert_eq!(after.notes, before.notes);
        let after = applied(&json!({ "maxInstances": 0, "hosts": [] }), &before).unwrap();
        assert_eq!(after.settings.max_instances, None);
        assert!(after.settings.hosts.is_empty() && after.settings.warm);
    }

    #[test]
    fn maps_are_changed_key_by_key() {
        for (change, expected) in [
            (json!({ "update": { "C": "3" } }), "A=1 B=2 C=3"),
            (json!({ "remove": ["A", "Z"] }), "B=2"),
            (
                json!({ "remove": ["A", "B"], "update": { "B": "9" } }),
                "B=9",
            ),
            (
                json!({ "replace": { "X": "1" }, "update": { "Y": "2" } }),
                "X=1 Y=2",
            ),
            (json!({ "replace": {} }), ""),
        ] {
            let changes = json!({ "environmentVariables": change });
            let after = applied(&changes, &before()).unwrap();
            let variables = after.settings.environment.iter();
            let shown: Vec<_> = variables
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            assert_eq!(shown.join(" "), expected, "{change}");
        }
    }

    #[test]
    fn what_is_not_known_or_out_of_bounds_is_refused() {
        for changes in [
            json!({ "other": 1 }),
            json!({ "memory": [1] }),
            json!({ "maxInstances": 10_001 }),
            json!({ "environmentVariables": { "A": "1" } }),
            json!({ "environmentVariables": { "update": { "A=B": "" } } }),
            json!({ "labels": { "remove": "a" } }),
            json!({ "secretFiles": { "update": { "S": "secret" } } }),
            json!({ "hosts": ["f.example.com:80"] }),
            json!({ "runtime": 1 }),
        ] {
            assert!(
                applied(&changes, &Description::default()).is_err(),
                "{changes}"
            );
        }
    }
}
