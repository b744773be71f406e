//! What Google's tools ask on their way, and what is the same on every host.
//!
//! Nothing of it is secret from who is known at all: the location, and that the services are there which this host stands
//! in for. Builds are a part of this host, so there is no account of their own for them.

use serde_json::{Value, json};

use super::fields::Fields;
use super::methods::Method;
use super::projects::number;
use super::{Api, Code, Reply, Request, Status};

/// The services that this host stands in for. The tools want some of them enabled before they deploy a function.
const SERVICES: [&str; 10] = [
    "appengine.googleapis.com",
    "artifactregistry.googleapis.com",
    "cloudbuild.googleapis.com",
    "cloudfunctions.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "cloudscheduler.googleapis.com",
    "iam.googleapis.com",
    "iamcredentials.googleapis.com",
    "logging.googleapis.com",
    "run.googleapis.com",
];

/// The methods that answer them.
pub(super) const METHODS: &[Method] = &[
    Method::for_all(
        "google.cloud.location.Locations.ListLocations",
        "GET",
        "/v1/projects/{project}/locations",
        locations,
    ),
    Method::for_all(
        "google.cloud.location.Locations.ListLocations",
        "GET",
        "/v2/projects/{project}/locations",
        locations,
    ),
    Method::for_all(
        "google.cloud.location.Locations.GetLocation",
        "GET",
        "/v1/projects/{project}/locations/{location}",
        |api, _| Ok(location(api).into()),
    ),
    Method::for_all(
        "google.cloud.location.Locations.GetLocation",
        "GET",
        "/v2/projects/{project}/locations/{location}",
        |api, _| Ok(location(api).into()),
    ),
    Method::for_all(
        "google.appengine.v1.Applications.GetApplication",
        "GET",
        "/v1/apps/{project}",
        app,
    ),
    Method::for_all(
        "google.api.serviceusage.v1.ServiceUsage.GetService",
        "GET",
        "/v1/projects/{project}/services/{service}",
        |api, request| Ok(service(api, request.params.get("service")).into()),
    ),
    Method::for_all(
        "google.api.serviceusage.v1.ServiceUsage.ListServices",
        "GET",
        "/v1/projects/{project}/services",
        list_services,
    ),
    Method::for_all(
        "google.api.serviceusage.v1.ServiceUsage.EnableService",
        "POST",
        "/v1/projects/{project}/services/{service}:enable",
        enable,
    ),
    Method::for_all(
        "google.api.serviceusage.v1.ServiceUsage.BatchEnableServices",
        "POST",
        "/v1/projects/{project}/services:batchEnable",
        batch_enable,
    ),
    Method::for_all(
        "google.devtools.cloudbuild.v1.CloudBuild.GetDefaultServiceAccount",
        "GET",
        "/v1/projects/{project}/locations/{location}/defaultServiceAccount",
        default_service_account,
    ),
];

fn locations(api: &Api, _: &Request<'_>) -> Result<Reply, Status> {
    Ok(json!({ "locations": [location(api)] }).into())
}

/// The location. gcloud takes the value of its first label for the one that jobs are in.
fn location(api: &Api) -> Value {
    let project = api.project();
    json!({
        "name": format!("{}/locations/{}", project.name(), project.location),
        "locationId": project.location,
        "displayName": project.location,
        "labels": { "cloud.googleapis.com/region": project.location },
    })
}

/// The app of App Engine. There is none; gcloud takes the location of jobs for known if there is one.
fn app(api: &Api, _: &Request<'_>) -> Result<Reply, Status> {
    let project = api.project();
    Ok(json!({
        "name": format!("apps/{}", project.id),
        "id": project.id,
        "locationId": project.location,
    })
    .into())
}

fn service(api: &Api, name: &str) -> Value {
    let parent = format!("projects/{}", number(api.project()));
    let is_here = SERVICES.contains(&name);
    json!({
        "name": format!("{parent}/services/{name}"),
        "parent": parent,
        "config": { "name": name },
        "state": if is_here { "ENABLED" } else { "DISABLED" },
    })
}

fn list_services(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let (names, next) = request.page()?.of(SERVICES, |name| (*name).to_owned());
    let services: Vec<Value> = names.iter().map(|name| service(api, name)).collect();
    let mut answer = json!({ "services": services });
    if let Some(next) = next {
        answer["nextPageToken"] = json!(next);
    }
    Ok(answer.into())
}

fn enable(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let name = request.params.get("service");
    check(name)?;
    Ok(enabled(
        "EnableServiceResponse",
        json!({ "service": service(api, name) }),
    )
    .into())
}

fn batch_enable(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let body = request.json()?;
    let names = Fields::of(&body).list("serviceIds")?;
    names.iter().try_for_each(|name| check(name))?;
    let services: Vec<Value> = names.iter().map(|name| service(api, name)).collect();
    Ok(enabled(
        "BatchEnableServicesResponse",
        json!({ "services": services }),
    )
    .into())
}

/// Makes sure that the service is here.
fn check(name: &str) -> Result<(), Status> {
    match SERVICES.contains(&name) {
        true => Ok(()),
        false => Err(Status::new(
            Code::FailedPrecondition,
            format!(
                "this host does not stand in for `{name}`; expected one of {}",
                SERVICES.join(", ")
            ),
        )),
    }
}

/// The operation that has enabled what is enabled in any case.
fn enabled(kind: &str, mut response: Value) -> Value {
    response["@type"] = json!(format!(
        "type.googleapis.com/google.api.serviceusage.v1.{kind}"
    ));
    json!({ "name": "operations/noop.DONE_OPERATION", "done": true, "response": response })
}

/// The account that builds act for: none. gcloud reads the empty text as that.
fn default_service_account(api: &Api, _: &Request<'_>) -> Result<Reply, Status> {
    let project = api.project();
    Ok(json!({
        "name": format!("{}/locations/{}/defaultServiceAccount", project.name(), project.location),
        "serviceAccountEmail": "",
    })
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::test_support::Scratch;

    #[test]
    fn gcloud_finds_the_location_in_the_first_label_of_the_first_location() {
        let scratch = Scratch::new();
        for version in ["v1", "v2"] {
            let path = format!("GET /{version}/projects/local/locations");
            let list = scratch.user(&format!("{path}?alt=json&pageSize=100"), json!({}));
            let list = list.unwrap();
            let labels = list["locations"][0]["labels"].as_object().unwrap();
            assert_eq!(labels.values().collect::<Vec<_>>(), ["local"]);
            let one = scratch.user(&format!("{path}/local"), json!({})).unwrap();
            assert_eq!(one, list["locations"][0]);
        }
        let app = scratch.user("GET /v1/apps/local", json!({})).unwrap();
        assert_eq!(
            (&app["id"], &app["locationId"]),
            (&json!("local"), &json!("local"))
        );
        assert!(scratch.user("GET /v1/apps/other", json!({})).is_err());
    }

    #[test]
    fn what_a_deployment_wants_is_enabled_and_what_is_not_here_is_not() {
        let scratch = Scratch::new();
        let services = "/v1/projects/local/services";
        for name in ["run", "cloudbuild", "artifactregistry"] {
            let path = format!("{services}/{name}.googleapis.com");
            let service = scratch.user(&format!("GET {path}"), json!({})).unwrap();
            assert_eq!(service["state"], "ENABLED", "{name}");
            let done = scratch
                .user(&format!("POST {path}:enable"), json!({}))
                .unwrap();
            assert_eq!(done["done"], true);
            assert_eq!(done["response"]["service"], service);
        }
        let other = scratch.user(&format!("GET {services}/compute.googleapis.com"), json!({}));
        assert_eq!(other.unwrap()["state"], "DISABLED");
        let batch = |names: Value| {
            let body = json!({ "serviceIds": names });
            scratch.user(&format!("POST {services}:batchEnable"), body)
        };
        assert_eq!(batch(json!(["run.googleapis.com"])).unwrap()["done"], true);
        assert!(batch(json!(["run.googleapis.com", "compute.googleapis.com"])).is_err());
        let list = scratch.user(&format!("GET {services}?pageSize=4"), json!({}));
        let list = list.unwrap();
        assert_eq!(list["services"].as_array().unwrap().len(), 4);
        assert!(list["nextPageToken"].is_string());
    }

    #[test]
    fn builds_act_for_no_account() {
        let path = "GET /v1/projects/local/locations/local/defaultServiceAccount?alt=json";
        let account = Scratch::new().user(path, json!({})).unwrap();
        assert_eq!(account["serviceAccountEmail"], "");
    }
}
