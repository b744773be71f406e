//! The settings that only this host has, in the field `host` of both versions. They are named as `host functions describe` has
//! them. Google's clients do not know them: what is absent stays as it is.

use std::path::{Path, PathBuf};

use host_sandbox::OutboundPolicy;
use host_tokens::Member;
use serde_json::{Map, Value};

use super::wanted::set;
use crate::api::fields::Fields;
use crate::api::{Status, request};
use crate::config::values::{bucket_name, host_name};
use crate::settings::{Flag, FunctionSettings, Setting, Settings};
use crate::store::{FunctionRecord, InvokerRule};

/// The settings that Google's forms have fields for.
const OF_GOOGLE: [&str; 8] = [
    "memory",
    "timeout",
    "concurrency",
    "max_instances",
    "min_instances",
    "service_account",
    "env_vars",
    "labels",
];
/// What is shown beside the settings. Sent back, it changes nothing.
const SHOWN_ONLY: [&str; 6] = [
    "revision",
    "componentSha256",
    "declaredIn",
    "damage",
    "concurrency",
    "stateMessage",
];

fn own() -> impl Iterator<Item = &'static Setting<FunctionSettings>> {
    let settings = FunctionSettings::ALL.iter();
    settings.filter(|setting| !OF_GOOGLE.contains(&setting.name))
}

/// The settings in `settings` that have an effect and are not empty, as they are shown. Secrets are shown by the file that
/// they come from.
pub(super) fn shown_settings(
    settings: &FunctionSettings,
) -> impl Iterator<Item = (&'static Setting<FunctionSettings>, Value)> {
    FunctionSettings::ALL.iter().filter_map(|setting| {
        let shown = (setting.show)(settings);
        let is_empty = match &shown {
            Value::Null => true,
            Value::Array(items) => items.is_empty(),
            Value::Object(members) => members.is_empty(),
            _ => false,
        };
        (!is_empty && settings.has_effect(setting)).then_some((setting, shown))
    })
}

/// The settings as a document from which [`apply`] reads them again.
pub(super) fn of_settings(settings: &FunctionSettings) -> Value {
    let own = shown_settings(settings)
        .filter(|(setting, _)| !OF_GOOGLE.contains(&setting.name))
        .map(|(setting, shown)| (setting.shown_name(), shown));
    Value::Object(own.collect::<Map<_, _>>())
}

/// The settings, and what else this host tells of a function.
pub(super) fn shown(record: &FunctionRecord) -> Value {
    let mut host = of_settings(&record.settings);
    host["revision"] = record.revision.into();
    host["componentSha256"] = record.component.as_str().into();
    if let Some(file) = &record.declared_in {
        host["declaredIn"] = file.as_str().into();
    }
    if let Some(damage) = &record.damage {
        host["damage"] = damage.as_str().into();
    }
    host
}

/// Gives `settings` what `host` says.
///
/// # Errors
/// If there is a field that is not known, or a value that its setting may not have.
pub(super) fn apply(host: Fields<'_>, settings: &mut FunctionSettings) -> Result<(), Status> {
    let names: Vec<String> = own().map(Setting::shown_name).collect();
    let mut known: Vec<&str> = names.iter().map(String::as_str).collect();
    known.extend(SHOWN_ONLY);
    host.only(&known)?;
    for setting in own() {
        let field = setting.shown_name();
        let Some(value) = host.get(&field) else {
            continue;
        };
        match setting.flag {
            Flag::Made { .. } => set(settings, setting.name, &text(&field, value)?)?,
            Flag::ByHand(_) => change_by_hand(host, setting.name, &field, settings)?,
        }
    }
    Ok(())
}

/// A value as a flag would have it.
///
/// # Errors
/// If it is no text and no number.
pub(super) fn text(field: &str, value: &Value) -> Result<String, Status> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(Status::invalid(format!(
            "the field `{field}` is not a text or a number"
        ))),
    }
}

/// Gives the setting `name`, which is no map of texts that Google's forms have, what `field` says.
///
/// # Errors
/// If that is none that the setting may have.
pub(super) fn change_by_hand(
    host: Fields<'_>,
    name: &str,
    field: &str,
    settings: &mut FunctionSettings,
) -> Result<(), Status> {
    match name {
        "allow_unauthenticated" => {
            settings.allow_unauthenticated = host.boolean(field)?.unwrap_or_default();
        }
        "invokers" => settings.invokers = members(&host.list(field)?)?.into_iter().collect(),
        "invoker_rules" => {
            let rules = host.get(field).cloned().unwrap_or_default();
            let rules: Vec<InvokerRule> = request::read(rules)?;
            for rule in &rules {
                rule.read().map_err(Status::invalid)?;
            }
            settings.invoker_rules = rules;
        }
        "audiences" => settings.audiences = host.list(field)?,
        "config" => settings.config = host.map(field)?,
        "keyvalue_buckets" => settings.keyvalue_buckets = each(host.list(field)?, bucket_name)?,
        "secrets" => {
            let files: Vec<(String, String)> = host.map(field)?;
            let files = files
                .into_iter()
                .map(|(name, file)| Ok((name, secret_file(file)?)));
            settings.secrets = files.collect::<Result<_, Status>>()?;
        }
        "allow_outbound" => settings.allow_outbound = outbound(host.list(field)?)?,
        "hosts" => settings.hosts = each(host.list(field)?, host_name)?,
        "warm" => settings.warm = host.boolean(field)?.unwrap_or_default(),
        _ => {}
    }
    Ok(())
}

fn each(
    texts: Vec<String>,
    read: impl Fn(&str) -> Result<String, String>,
) -> Result<Vec<String>, Status> {
    let texts = texts.iter().map(|text| read(text).map_err(Status::invalid));
    texts.collect()
}

fn members(texts: &[String]) -> Result<Vec<String>, Status> {
    let members = texts.iter().map(|text| {
        let member: Member = text
            .parse()
            .map_err(|error| Status::invalid(format!("{error}")))?;
        Ok(member.to_string())
    });
    members.collect()
}

fn outbound(rules: Vec<String>) -> Result<Vec<String>, Status> {
    let mut policy = OutboundPolicy::default();
    for rule in &rules {
        let allowed = policy.allow(rule);
        allowed.map_err(|error| Status::invalid(error.to_string()))?;
    }
    Ok(rules)
}

/// The file of a secret. The host may run elsewhere in the tree, and must find the same one.
///
/// # Errors
/// If the path is not absolute.
pub(super) fn secret_file(file: String) -> Result<PathBuf, Status> {
    match Path::new(&file).is_absolute() {
        true => Ok(file.into()),
        false => Err(Status::invalid(format!(
            "the secret's file `{}` is not an absolute path",
            file.escape_debug()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn applied(host: &Value) -> Result<FunctionSettings, Status> {
        let mut settings = FunctionSettings::default();
        apply(Fields::of(host), &mut settings)?;
        Ok(settings)
    }

    fn all() -> Value {
        json!({
            "maxRequestBody": "1Mi",
            "maxResponseBody": "unlimited",
            "logLimit": "1Ki",
            "keyvalueEntries": 7,
            "keyvalueBytes": "1Mi",
            "maxIdleInstances": 3,
            "warmRequests": 5,
            "warmIdleTime": "5s",
            "warmAge": "60s",
            "warmMemory": 50,
            "warmConcurrency": 2,
            "allowUnauthenticated": true,
            "invokers": ["user:a@example.com"],
            "invokerRules": [{ "issuer": "https://i.example", "claims": { "sub": "s" } }],
            "audiences": ["x"],
            "config": { "a": "b" },
            "keyvalueBuckets": ["shared"],
            "secretFiles": { "S": "/run/secret" },
            "allowOutbound": ["https://api.example.com"],
            "hosts": ["f.example.com"],
            "warm": true,
        })
    }

    #[test]
    fn every_setting_is_read_as_it_is_shown() {
        let settings = applied(&all()).unwrap();
        assert_eq!(of_settings(&settings), all());
        let fields: Vec<String> = own().map(Setting::shown_name).collect();
        let document = all();
        let missing = fields.iter().find(|field| document.get(field).is_none());
        assert_eq!(missing, None);
    }

    #[test]
    fn what_is_absent_or_only_shown_changes_nothing() {
        let mut settings = applied(&all()).unwrap();
        let before = settings.clone();
        let host = json!({ "revision": 7, "componentSha256": "0", "warm": null });
        apply(Fields::of(&host), &mut settings).unwrap();
        assert_eq!(settings, before);
        let host = json!({ "hosts": [], "warm": false });
        apply(Fields::of(&host), &mut settings).unwrap();
        assert!(settings.hosts.is_empty() && !settings.warm);
        assert_eq!(settings.audiences, before.audiences);
    }

    #[test]
    fn what_is_not_known_or_out_of_bounds_is_refused() {
        for host in [
            json!({ "memory": "64Mi" }),
            json!({ "other": 1 }),
            json!({ "warmMemory": 101 }),
            json!({ "warmMemory": [1] }),
            json!({ "invokers": ["group:g@example.com"] }),
            json!({ "invokerRules": [{ "issuer": 1 }] }),
            json!({ "invokerRules": [{ "issuer": "x", "claims": { "sub": "s" } }] }),
            json!({ "keyvalueBuckets": ["default"] }),
            json!({ "allowOutbound": ["ftp://x"] }),
            json!({ "hosts": ["f.example.com:80"] }),
            json!({ "secretFiles": { "S": "secret" } }),
            json!({ "warm": "yes" }),
        ] {
            assert!(applied(&host).is_err(), "{host}");
        }
    }
}
