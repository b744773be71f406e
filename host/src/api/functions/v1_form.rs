//! A function in the form of Cloud Functions v1.

use std::time::Duration;

use serde_json::{Value, json};

use super::host_form;
use super::notes::{Description, Notes, RUNTIME};
use super::shown::{Shown, put};
use super::state::FunctionState;
use super::unsupported::{INGRESS_OF_ALL, OF_FUNCTION, OF_SERVICE, check_ingress, refuse};
use super::v2_form::{REGISTRIES, SECURITY_LEVELS};
use super::wanted::Wanted;
use crate::api::Status;
use crate::api::fields::{Fields, seconds};
use crate::settings::values::{Size, milliseconds};

/// The fields that a client may set.
pub(super) const FIELDS: &[&str] = &[
    "name",
    "description",
    "labels",
    "sourceArchiveUrl",
    "sourceRepository",
    "sourceUploadUrl",
    "httpsTrigger",
    "eventTrigger",
    "entryPoint",
    "runtime",
    "timeout",
    "availableMemoryMb",
    "serviceAccountEmail",
    "environmentVariables",
    "buildEnvironmentVariables",
    "maxInstances",
    "minInstances",
    "ingressSettings",
    "dockerRegistry",
    "dockerRepository",
    "buildServiceAccount",
    "buildWorkerPool",
    "automaticUpdatePolicy",
    "onDeployUpdatePolicy",
    "network",
    "vpcConnector",
    "vpcConnectorEgressSettings",
    "kmsKeyName",
    "secretEnvironmentVariables",
    "secretVolumes",
    "sourceToken",
    "host",
];

/// Bytes of what the form calls a megabyte.
const MEGABYTE: u64 = 1 << 20;

/// The function that `document` describes, if it was `before` until now.
///
/// # Errors
/// If a field is of another type, out of its bounds, or wants what this host has not.
pub(super) fn description(document: &Value, before: &Description) -> Result<Description, Status> {
    let function = Fields::of(document);
    refuse(function, OF_FUNCTION)?;
    refuse(function, OF_SERVICE)?;
    check_ingress(function)?;
    let wanted = Wanted {
        memory: function
            .number("availableMemoryMb")?
            .filter(|megabytes| *megabytes > 0)
            .map(|megabytes| memory(megabytes, before.settings.memory)),
        timeout: function.duration("timeout")?.map(Duration::from_millis),
        max_instances: function.number("maxInstances")?,
        min_instances: function.number("minInstances")?,
        concurrency: None,
        service_account: function.text("serviceAccountEmail")?,
        environment: function.map("environmentVariables")?,
        labels: function.map("labels")?,
    };
    let mut settings = wanted.apply(&before.settings)?;
    host_form::apply(function.inner("host"), &mut settings)?;
    let trigger = function.inner("httpsTrigger");
    let owned = |name: Option<&'static str>| name.map(str::to_owned);
    let notes = Notes {
        is_first_generation: before.notes.is_first_generation,
        description: function.text("description")?.unwrap_or_default(),
        runtime: function.text("runtime")?,
        entry_point: function.text("entryPoint")?,
        build_environment: function.map("buildEnvironmentVariables")?,
        docker_registry: owned(function.name("dockerRegistry", &REGISTRIES)?),
        security_level: owned(trigger.name("securityLevel", &SECURITY_LEVELS)?),
        cpu: before.notes.cpu.clone(),
    };
    Ok(Description { settings, notes })
}

/// A document from which [`description`] reads `description` again.
pub(super) fn of_description(description: &Description) -> Value {
    let Description { settings, notes } = description;
    let mut trigger = json!({});
    put(&mut trigger, "securityLevel", &notes.security_level);
    let mut function = json!({
        "httpsTrigger": trigger,
        "runtime": notes.runtime.as_deref().unwrap_or(RUNTIME),
        "timeout": seconds(milliseconds(settings.timeout)),
        "availableMemoryMb": megabytes(settings.memory),
        "ingressSettings": INGRESS_OF_ALL,
        "host": host_form::of_settings(settings),
    });
    put(&mut function, "description", &notes.description);
    put(&mut function, "entryPoint", &notes.entry_point);
    put(
        &mut function,
        "serviceAccountEmail",
        &settings.service_account,
    );
    put(&mut function, "environmentVariables", &settings.environment);
    put(
        &mut function,
        "buildEnvironmentVariables",
        &notes.build_environment,
    );
    put(&mut function, "maxInstances", &settings.max_instances);
    put(&mut function, "minInstances", &settings.min_instances);
    put(&mut function, "dockerRegistry", &notes.docker_registry);
    put(&mut function, "labels", &settings.labels);
    function
}

/// The function as clients see it.
pub(super) fn shown(shown: &Shown) -> Value {
    let record = &shown.record;
    let mut function = of_description(&shown.description());
    function["name"] = json!(shown.name);
    function["status"] = json!(status(&shown.state));
    function["httpsTrigger"]["url"] = json!(shown.url);
    function["updateTime"] = json!(record.updated);
    // 64-bit numbers are texts in protobuf's JSON.
    function["versionId"] = json!(record.revision.to_string());
    function["host"] = host_form::shown(record);
    function["host"]["concurrency"] = json!(record.settings.concurrency);
    if let Some(reason) = &shown.reason {
        function["host"]["stateMessage"] = json!(reason);
    }
    function
}

fn status(state: &FunctionState) -> &'static str {
    match state {
        FunctionState::Active => "ACTIVE",
        FunctionState::Deploying => "DEPLOY_IN_PROGRESS",
        FunctionState::Failed(_) | FunctionState::Damaged(_) => "OFFLINE",
        FunctionState::NotServed => "UNKNOWN",
    }
}

fn megabytes(memory: u64) -> u64 {
    memory.div_ceil(MEGABYTE)
}

/// A size in megabytes; that of `before` if it would be shown so.
fn memory(wanted: u32, before: u64) -> String {
    match u64::from(wanted) == megabytes(before) {
        true => Size(before).to_string(),
        false => Size(u64::from(wanted) * MEGABYTE).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::FunctionSettings;
    use crate::store::ApiGeneration;

    const RECORDED: &str = r#"{"availableMemoryMb": 64, "dockerRegistry": "ARTIFACT_REGISTRY", "entryPoint": "hello", "environmentVariables": {"MODE": "slow"}, "httpsTrigger": {"securityLevel": "SECURE_ALWAYS"}, "labels": {"deployment-tool": "cli-gcloud"}, "name": "projects/p/locations/local/functions/hello_one", "runtime": "wasi", "serviceAccountEmail": "myserviceaccount@host.internal", "sourceUploadUrl": "http://127.0.0.1:9912/upload/x1"}"#;

    fn new() -> Description {
        Description {
            settings: FunctionSettings::default(),
            notes: Notes::of_new(ApiGeneration::First),
        }
    }

    #[test]
    fn a_function_of_gcloud_is_read_and_shown_again() {
        let recorded: Value = serde_json::from_str(RECORDED).unwrap();
        let read = description(&recorded, &new()).unwrap();
        assert_eq!(read.settings.memory, 64 << 20);
        assert_eq!(read.settings.labels["deployment-tool"], "cli-gcloud");
        assert!(read.notes.is_first_generation);
        let shown = of_description(&read);
        assert_eq!(shown["httpsTrigger"]["securityLevel"], "SECURE_ALWAYS");
        assert_eq!(shown["dockerRegistry"], "ARTIFACT_REGISTRY");
        assert_eq!(description(&shown, &new()), Ok(read));
    }

    #[test]
    fn what_this_form_has_no_field_for_stays() {
        let before = Description {
            settings: FunctionSettings {
                memory: (1 << 20) + 1,
                concurrency: 7,
                timeout: Duration::from_millis(1500),
                ..FunctionSettings::default()
            },
            notes: Notes {
                cpu: Some("2".into()),
                runtime: Some("nodejs20".into()),
                ..Notes::default()
            },
        };
        let document = of_description(&before);
        assert_eq!(document["availableMemoryMb"], 2);
        assert_eq!(document["timeout"], "1.500s");
        assert_eq!(description(&document, &before), Ok(before));
    }

    #[test]
    fn what_this_host_has_not_is_refused() {
        for refused in [
            json!({ "eventTrigger": { "eventType": "x" } }),
            json!({ "vpcConnector": "c" }),
            json!({ "secretVolumes": [{ "mountPath": "/s" }] }),
            json!({ "ingressSettings": 2 }),
            json!({ "timeout": "5" }),
        ] {
            assert!(description(&refused, &new()).is_err(), "{refused}");
        }
    }
}
