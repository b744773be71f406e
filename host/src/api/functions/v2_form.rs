//! A function in the form of Cloud Functions v2.

use std::time::Duration;

use serde_json::{Value, json};

use super::host_form;
use super::notes::{Description, Notes, RUNTIME};
use super::shown::{Shown, put};
use super::source::present;
use super::state::FunctionState;
use super::unsupported::{INGRESS_OF_ALL, OF_FUNCTION, OF_SERVICE, check_ingress, refuse};
use super::wanted::Wanted;
use crate::api::Status;
use crate::api::fields::Fields;
use crate::settings::values::Size;

/// The fields that a client may set.
pub(super) const FIELDS: &[&str] = &[
    "name",
    "description",
    "labels",
    "environment",
    "buildConfig",
    "serviceConfig",
    "eventTrigger",
    "kmsKeyName",
    "host",
];

/// `Environment` by number: the generation.
const GENERATIONS: [&str; 3] = ["ENVIRONMENT_UNSPECIFIED", "GEN_1", "GEN_2"];
/// `SecurityLevel` by number.
pub(super) const SECURITY_LEVELS: [&str; 3] = [
    "SECURITY_LEVEL_UNSPECIFIED",
    "SECURE_ALWAYS",
    "SECURE_OPTIONAL",
];
/// `DockerRegistry` by number.
pub(super) const REGISTRIES: [&str; 3] = [
    "DOCKER_REGISTRY_UNSPECIFIED",
    "CONTAINER_REGISTRY",
    "ARTIFACT_REGISTRY",
];

/// The function that `document` describes, if it was `before` until now.
///
/// # Errors
/// If a field is of another type, out of its bounds, or wants what this host has not.
pub(super) fn description(document: &Value, before: &Description) -> Result<Description, Status> {
    let function = Fields::of(document);
    let (build, service) = (
        function.inner("buildConfig"),
        function.inner("serviceConfig"),
    );
    refuse(function, OF_FUNCTION)?;
    refuse(service, OF_SERVICE)?;
    check_ingress(service)?;
    let wanted = Wanted {
        memory: service.text("availableMemory")?,
        timeout: service
            .number("timeoutSeconds")?
            .map(|seconds| time(seconds, before.settings.timeout)),
        max_instances: service.number("maxInstanceCount")?,
        min_instances: service.number("minInstanceCount")?,
        concurrency: service.number("maxInstanceRequestConcurrency")?,
        service_account: service.text("serviceAccountEmail")?,
        environment: service.map("environmentVariables")?,
        labels: function.map("labels")?,
    };
    let mut settings = wanted.apply(&before.settings)?;
    host_form::apply(function.inner("host"), &mut settings)?;
    let generation = function.name("environment", &GENERATIONS)?;
    let owned = |name: Option<&'static str>| name.map(str::to_owned);
    let notes = Notes {
        is_first_generation: generation.map_or(before.notes.is_first_generation, |name| {
            name == GENERATIONS[1]
        }),
        description: function.text("description")?.unwrap_or_default(),
        runtime: build.text("runtime")?,
        entry_point: build.text("entryPoint")?,
        build_environment: build.map("environmentVariables")?,
        docker_registry: owned(build.name("dockerRegistry", &REGISTRIES)?),
        security_level: owned(service.name("securityLevel", &SECURITY_LEVELS)?),
        cpu: service.text("availableCpu")?,
    };
    Ok(Description { settings, notes })
}

/// A document from which [`description`] reads `description` again.
pub(super) fn of_description(description: &Description) -> Value {
    let Description { settings, notes } = description;
    let mut build = json!({ "runtime": notes.runtime.as_deref().unwrap_or(RUNTIME) });
    put(&mut build, "entryPoint", &notes.entry_point);
    put(&mut build, "environmentVariables", &notes.build_environment);
    put(&mut build, "dockerRegistry", &notes.docker_registry);
    let mut service = json!({
        "timeoutSeconds": seconds(settings.timeout),
        "availableMemory": Size(settings.memory).to_string(),
        "maxInstanceRequestConcurrency": settings.concurrency,
        "ingressSettings": INGRESS_OF_ALL,
    });
    put(&mut service, "environmentVariables", &settings.environment);
    put(&mut service, "maxInstanceCount", &settings.max_instances);
    put(&mut service, "minInstanceCount", &settings.min_instances);
    put(
        &mut service,
        "serviceAccountEmail",
        &settings.service_account,
    );
    put(&mut service, "securityLevel", &notes.security_level);
    put(&mut service, "availableCpu", &notes.cpu);
    let generation = GENERATIONS[if notes.is_first_generation { 1 } else { 2 }];
    let mut function = json!({
        "environment": generation,
        "buildConfig": build,
        "serviceConfig": service,
        "host": host_form::of_settings(settings),
    });
    put(&mut function, "description", &notes.description);
    put(&mut function, "labels", &settings.labels);
    function
}

/// The function as clients see it.
pub(super) fn shown(shown: &Shown) -> Value {
    let record = &shown.record;
    let mut function = of_description(&shown.description());
    function["name"] = json!(shown.name);
    function["state"] = json!(state(&shown.state));
    function["url"] = json!(shown.url);
    function["createTime"] = json!(record.created);
    function["updateTime"] = json!(record.updated);
    function["buildConfig"]["source"] = present(&record.component);
    function["serviceConfig"]["uri"] = json!(shown.url);
    let revision = format!("{}-{:05}", record.name, record.revision);
    function["serviceConfig"]["revision"] = json!(revision);
    function["serviceConfig"]["allTrafficOnLatestRevision"] = json!(true);
    function["host"] = host_form::shown(record);
    if let Some(reason) = &shown.reason {
        let message = json!({ "severity": severity(&shown.state), "type": shown.state.to_string(), "message": reason });
        function["stateMessages"] = json!([message]);
    }
    function
}

fn state(state: &FunctionState) -> &'static str {
    match state {
        FunctionState::Active => "ACTIVE",
        FunctionState::Deploying => "DEPLOYING",
        FunctionState::Failed(_) | FunctionState::Damaged(_) => "FAILED",
        FunctionState::NotServed => "UNKNOWN",
    }
}

fn severity(state: &FunctionState) -> &'static str {
    match state {
        FunctionState::Failed(_) | FunctionState::Damaged(_) => "ERROR",
        _ => "WARNING",
    }
}

/// Whole seconds, as the form has them.
fn seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1000) as u64
}

/// A time in whole seconds; that of `before` if it would be shown so.
fn time(wanted: u32, before: Duration) -> Duration {
    match u64::from(wanted) == seconds(before) {
        true => before,
        false => Duration::from_secs(wanted.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::FunctionSettings;

    const RECORDED: &str = r#"{"name": "projects/p/locations/local/functions/hello_world", "buildConfig": {"runtime": "wasi", "entryPoint": "hello_world", "source": {"storageSource": {"bucket": "host-source", "object": "x1.zip"}}}, "serviceConfig": {"timeoutSeconds": 5, "environmentVariables": {"MODE": "slow"}, "ingressSettings": 1, "serviceAccountEmail": "myserviceaccount@host.internal", "availableMemory": "64Mi", "maxInstanceRequestConcurrency": 80}, "environment": 2}"#;

    fn read(document: &Value) -> Result<Description, Status> {
        description(document, &Description::default())
    }

    #[test]
    fn a_function_of_googles_client_is_read_and_shown_again() {
        let recorded: Value = serde_json::from_str(RECORDED).unwrap();
        let read = read(&recorded).unwrap();
        assert_eq!(read.settings.memory, 64 << 20);
        assert_eq!(read.settings.timeout, Duration::from_secs(5));
        assert_eq!(read.settings.environment["MODE"], "slow");
        assert_eq!(read.settings.concurrency, 80);
        assert_eq!(read.notes.entry_point.as_deref(), Some("hello_world"));
        let account = read.settings.service_account.as_deref();
        assert_eq!(account, Some("myserviceaccount@host.internal"));
        let document = of_description(&read);
        assert_eq!(description(&document, &Description::default()), Ok(read));
    }

    #[test]
    fn fields_without_a_use_are_kept_and_those_that_mean_more_are_refused() {
        let kept = json!({
            "description": "d",
            "buildConfig": { "runtime": "python312", "environmentVariables": { "A": "b" }, "dockerRegistry": 2 },
            "serviceConfig": { "securityLevel": 1, "availableCpu": "1" },
            "environment": "GEN_1",
        });
        let notes = read(&kept).unwrap().notes;
        assert!(notes.is_first_generation);
        assert_eq!(notes.docker_registry.as_deref(), Some("ARTIFACT_REGISTRY"));
        let shown = of_description(&read(&kept).unwrap());
        assert_eq!(shown["serviceConfig"]["securityLevel"], "SECURE_ALWAYS");
        assert_eq!(
            shown["buildConfig"]["environmentVariables"],
            json!({ "A": "b" })
        );
        for refused in [
            json!({ "eventTrigger": { "eventType": "x" } }),
            json!({ "kmsKeyName": "k" }),
            json!({ "serviceConfig": { "vpcConnector": "c" } }),
            json!({ "serviceConfig": { "secretEnvironmentVariables": [{ "key": "K" }] } }),
            json!({ "serviceConfig": { "ingressSettings": "ALLOW_INTERNAL_ONLY" } }),
            json!({ "serviceConfig": { "availableMemory": "much" } }),
            json!({ "environment": "GEN_3" }),
        ] {
            assert!(read(&refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_time_between_seconds_stays_when_it_comes_back_rounded() {
        let before = Description {
            settings: FunctionSettings {
                timeout: Duration::from_millis(1500),
                ..FunctionSettings::default()
            },
            notes: Notes::default(),
        };
        let document = of_description(&before);
        assert_eq!(document["serviceConfig"]["timeoutSeconds"], 2);
        let after = description(&document, &before).unwrap();
        assert_eq!(after.settings.timeout, before.settings.timeout);
    }
}
