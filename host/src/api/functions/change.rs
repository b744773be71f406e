//! Functions are created, changed and deleted: each begins an operation.

use serde_json::Value;

use super::allowed::Allowed;
use super::deployer::{Deployment, Task};
use super::notes::{Description, Notes};
use super::{changes, form, found, full_name, name, operations, source};
use crate::api::fields::Fields;
use crate::api::{Api, Code, Reply, Request, Status};
use crate::settings::FunctionSettings;
use crate::store::{
    ApiGeneration, FunctionName, FunctionRecord, NewOperation, OperationVerb, PolicyOf, StoreError,
    UploadId,
};

/// The permission to create a function, which those of one function do not have.
pub(super) const CREATE: &str = "cloudfunctions.functions.create";

/// `projects.locations.functions.create`.
pub(super) fn create(
    api: &Api,
    request: &Request<'_>,
    version: ApiGeneration,
) -> Result<Reply, Status> {
    let document = request.json()?;
    form::check_fields(request, version, &document)?;
    let name = new_name(api, request, version, &document)?;
    match api.store().function(&name) {
        Err(StoreError::NoFunction { .. }) => {}
        Ok(_) => return Err(Status::exists(&full_name(api, &name))),
        Err(error) => return Err(error.into()),
    }
    let source = source::named_by(version, &document, None)?.ok_or_else(|| {
        Status::invalid("the function has no source; upload it to a URL of functions:generateUploadUrl, and name the upload")
    })?;
    let new = Description {
        settings: FunctionSettings::default(),
        notes: Notes::of_new(version),
    };
    let wanted = form::description(version, &document, &new)?;
    let allowed = Allowed::of(api, request, &name, &new.settings, &wanted.settings, true)?;
    allowed.check(&new.settings, &wanted.settings)?;
    // The notes are looked at here, too, so that the client is told at once.
    wanted.clone().into_parts()?;
    let task = Task::Deploy(Deployment {
        source: Some(source),
        change: Box::new(move |_| Ok(wanted.clone())),
    });
    begin(api, request, version, OperationVerb::Create, &name, task)
}

/// `projects.locations.functions.patch`.
pub(super) fn update(
    api: &Api,
    request: &Request<'_>,
    version: ApiGeneration,
) -> Result<Reply, Status> {
    let name = name(request)?;
    let record = deployed(api, &name)?;
    let new = request.json()?;
    form::check_fields(request, version, &new)?;
    let mask = request.mask()?;
    if let Some(mask) = &mask {
        form::check_mask(version, mask)?;
    }
    let is_named = |field| mask.as_ref().is_none_or(|mask| mask.names(field));
    let is_source = match version {
        ApiGeneration::First => is_named("sourceUploadUrl") || is_named("sourceArchiveUrl"),
        ApiGeneration::Second => is_named("buildConfig.source"),
    };
    let source = match is_source {
        true => source::named_by(version, &new, Some(&record.component))?,
        false => None,
    };
    let before = Description::read(record.settings, &api.store().function_notes(&name)?);
    let change = move |before: &Description| form::changed(version, before, &new, mask.as_ref());
    let task = deployment(api, request, &name, &before, source, change)?;
    begin(api, request, version, OperationVerb::Update, &name, task)
}

/// Deploys a function with the changes that flags make, whether or not it is there: for commands of this program.
///
/// The body has `upload`, which has the component and may be left out if the function is there, and `changes`.
pub(super) fn deploy(api: &Api, request: &Request<'_>) -> Result<Reply, Status> {
    let name = name(request)?;
    let document = request.json()?;
    let fields = Fields::of(&document);
    fields.only(&["upload", "changes"])?;
    let source = fields.text("upload")?.map(|id| UploadId::from_text(&id));
    let record = match deployed(api, &name) {
        Ok(record) => Some(record),
        Err(error) if error.code == Code::NotFound => None,
        Err(error) => return Err(error),
    };
    let (verb, settings) = match record {
        Some(record) => {
            if source.is_none() {
                record.check()?;
            }
            (OperationVerb::Update, record.settings)
        }
        None => {
            let principal = &request.caller.principal;
            api.require(principal, CREATE, &PolicyOf::Project)?;
            if source.is_none() {
                let message =
                    format!("there is no function `{name}` yet; name its component with --source");
                return Err(Status::new(Code::NotFound, message));
            }
            (OperationVerb::Create, FunctionSettings::default())
        }
    };
    let before = Description::read(settings, &api.store().function_notes(&name)?);
    let change = move |before: &Description| {
        let changes = Fields::of(&document).inner("changes");
        changes::apply(changes, before)
    };
    let task = deployment(api, request, &name, &before, source, change)?;
    begin(api, request, ApiGeneration::Second, verb, &name, task)
}

/// The deployment that makes of `before`, which the function `name` is, what `change` makes of it.
///
/// # Errors
/// If `change` fails, or the caller may not make it.
fn deployment(
    api: &Api,
    request: &Request<'_>,
    name: &FunctionName,
    before: &Description,
    source: Option<UploadId>,
    change: impl Fn(&Description) -> Result<Description, Status> + Send + 'static,
) -> Result<Task, Status> {
    let wanted = change(before)?;
    let is_new_code = source.is_some();
    let allowed = Allowed::of(
        api,
        request,
        name,
        &before.settings,
        &wanted.settings,
        is_new_code,
    )?;
    allowed.check(&before.settings, &wanted.settings)?;
    // The notes are looked at here, too, so that the client is told at once.
    wanted.into_parts()?;
    Ok(Task::Deploy(Deployment {
        source,
        // Applied to what is there by then: somebody may change it until the component is checked.
        change: Box::new(move |before| {
            let wanted = change(before)?;
            allowed.check(&before.settings, &wanted.settings)?;
            Ok(wanted)
        }),
    }))
}

/// `projects.locations.functions.delete`.
pub(super) fn delete(
    api: &Api,
    request: &Request<'_>,
    version: ApiGeneration,
) -> Result<Reply, Status> {
    let name = name(request)?;
    deployed(api, &name)?;
    begin(
        api,
        request,
        version,
        OperationVerb::Delete,
        &name,
        Task::Delete,
    )
}

fn begin(
    api: &Api,
    request: &Request<'_>,
    version: ApiGeneration,
    verb: OperationVerb,
    name: &FunctionName,
    task: Task,
) -> Result<Reply, Status> {
    let operation = NewOperation {
        target: full_name(api, name),
        verb,
        generation: version,
        principal: request.caller.principal.subject(),
    };
    let record = api.deployer().begin(operation, name, task)?;
    Ok(operations::shown(api.project(), &record).into())
}

/// The function `name`, which no file declares.
fn deployed(api: &Api, name: &FunctionName) -> Result<FunctionRecord, Status> {
    let record = found(api, name)?;
    match record.declared_in {
        Some(file) => Err(StoreError::Declared {
            name: record.name,
            file,
        }
        .into()),
        None => Ok(record),
    }
}

/// The name that a function is to have: in the query for v2, in the body for v1.
fn new_name(
    api: &Api,
    request: &Request<'_>,
    version: ApiGeneration,
    document: &Value,
) -> Result<FunctionName, Status> {
    let named = document.get("name").and_then(Value::as_str);
    let id = match version {
        ApiGeneration::First => None,
        ApiGeneration::Second => request.query.get("functionId"),
    };
    let text = id.filter(|id| !id.is_empty()).or(named).ok_or_else(|| {
        Status::invalid("the function has no name; give it one, such as ?functionId=hello in v2, or the field `name` in v1")
    })?;
    let name: FunctionName = text
        .parse()
        .map_err(|error: crate::store::NameError| Status::invalid(error.to_string()))?;
    match text.contains('/') && text != full_name(api, &name) {
        true => Err(Status::invalid(format!(
            "the function's name is `{}`; expected `{}`",
            text.escape_debug(),
            full_name(api, &name)
        ))),
        false => Ok(name),
    }
}
