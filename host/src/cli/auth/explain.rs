//! `host auth explain`

use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;
use host_tokens::{Member, Rejection, Step, Trust, TrustedIssuer};

use super::super::Message;
use super::super::format::print;
use super::super::outside_issuers::OutsideIssuers;
use super::super::own_issuer::own_issuer;
use super::super::state::StateDirectory;
use super::super::time::instant;
use crate::api::functions::public_urls;
use crate::identity::{
    AdvisedCaller, AdvisedRejection, OutsideIssuer, own_key_set, own_revocations, readable_keys,
    refusal_setting, rejection_setting, revocations_of_disabled, unrevoked_keys,
};
use crate::logs::{Query, ReadFormat, ReadRenderer, Severity, StoredEntry, read};
use crate::serve::{FunctionAccess, REFUSED, component_access, function_access};
use crate::stderr;
use crate::store::{FunctionName, Store, StoreError};

/// Say of a token whether a function would let it in, check by check, or of a request why it was refused
///
/// Exits with 1 if it would not be, or was not, let in. The token may be given on standard input, as `-`.
#[derive(Args)]
pub(super) struct Explain {
    /// The token, or - to read it from standard input
    #[arg(required_unless_present = "request")]
    token: Option<String>,

    /// The function, or the component that `host serve` was given, by its name in log entries
    #[arg(long, value_name = "NAME", required_unless_present = "request")]
    function: Option<FunctionName>,

    /// A request that was made, by the execution id of its answer
    #[arg(long, value_name = "ID", conflicts_with_all = ["token", "function", "at", "config", "issuer"])]
    request: Option<String>,

    /// The moment at which it would be shown, such as 2026-11-23T14:00:00Z, or 2h for two hours ago [default: now]
    #[arg(long, value_name = "TIME", value_parser = instant, allow_hyphen_values = true)]
    at: Option<jiff::Timestamp>,

    #[command(flatten)]
    issuers: OutsideIssuers,

    #[command(flatten)]
    state: StateDirectory,
}

/// What lets a principal in.
const INVOKERS: &str =
    "`host functions add-iam-policy-binding`, or `invokers` or `invoker-rules` of the function";

impl Explain {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        match (&self.request, &self.token, &self.function) {
            (Some(id), ..) => explain_request(&self.state, id),
            (None, Some(token), Some(function)) => self.explain(token, function),
            _ => Err("say which token and which --function, or which --request".into()),
        }
    }

    fn explain(&self, token: &str, function: &FunctionName) -> Result<ExitCode, Message> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let store = self.state.store()?;
        let policy = match access(&store, function)? {
            FunctionAccess::Open => {
                print("The function is open: no token is looked at.\n")?;
                return Ok(ExitCode::SUCCESS);
            }
            FunctionAccess::Private(policy) => policy,
        };
        let token = read_token(token)?;
        let trust = self.trust(&store)?;
        let now = self.at.map_or_else(SystemTime::now, SystemTime::from);
        let audiences = policy.audiences().clone();
        let (steps, rejection) = match trust.explain(token.trim(), &audiences, now) {
            Ok(explained) => explained,
            Err(rejection) => {
                let setting = rejection_setting(&rejection);
                let rejection = AdvisedRejection(&rejection);
                print(&format!(
                    "fail  form and issuer\n      {rejection}\n      setting:  {setting}\nrefused: {rejection}\n"
                ))?;
                return Ok(ExitCode::FAILURE);
            }
        };
        print(&steps.iter().map(shown).collect::<String>())?;
        if let Some(rejection) = rejection {
            let advised = AdvisedRejection(&rejection);
            if let Rejection::Revoked { .. } | Rejection::Unreadable(_) = rejection {
                let setting = rejection_setting(&rejection);
                print(&format!(
                    "fail  revocation\n      {advised}\n      setting:  {setting}\n"
                ))?;
            }
            print(&format!("refused: {advised}\n"))?;
            return Ok(ExitCode::FAILURE);
        }
        let caller = trust
            .judge(token.trim(), &audiences, now)
            .map_err(|rejected| text(&AdvisedRejection(&rejected.rejection)))?;
        match policy.admit(&caller) {
            Ok(()) => {
                print("pass  invoker\naccepted\n")?;
                Ok(ExitCode::SUCCESS)
            }
            Err(error) => {
                let error = AdvisedCaller(error);
                print(&format!(
                    "fail  invoker\n      {error}\n      setting:  {INVOKERS}\nrefused: {error}\n"
                ))?;
                Ok(ExitCode::FAILURE)
            }
        }
    }

    /// What a host that serves from `store` trusts.
    fn trust(&self, store: &Store) -> Result<Trust, Message> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let issuer = own_issuer(store, None)?;
        let accounts = store.service_accounts().map_err(|error| text(&error))?;
        let revoked = store.revocations().map_err(|error| text(&error))?;
        let mut revoked = own_revocations(revoked, &issuer.url);
        revoked.extend(revocations_of_disabled(&accounts, &issuer.url));
        let keys = store.signing_keys().map_err(|error| text(&error))?;
        let keys = unrevoked_keys(keys, &revoked, &issuer.url);
        let keys = own_key_set(&readable_keys(keys)).map_err(|error| text(&error))?;
        let own = TrustedIssuer::new(issuer.config(accounts)).with_keys(keys.map(Into::into));
        let mut trusted = vec![own];
        trusted.extend(fetch_all(self.issuers.find(store)?)?);
        Trust::new(0, trusted, revoked).map_err(|error| text(&error))
    }
}

/// Who may call `function` of the store, or else the component of that name which the host serves, or served last.
fn access(store: &Store, function: &FunctionName) -> Result<FunctionAccess, Message> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let urls = public_urls(store)?;
    let missing = match store.function(function) {
        Ok(record) => return function_access(&record, &urls),
        Err(missing @ StoreError::NoFunction { .. }) => missing,
        Err(error) => return Err(text(&error)),
    };
    let host = store.serving_host().map_err(|error| text(&error))?;
    let component = host.and_then(|host| host.component);
    let Some(component) = component.filter(|component| component.name == function.as_str()) else {
        return Err(text(&missing));
    };
    let members = component.members.map(|members| {
        let members = members.iter().map(|member| member.parse::<Member>());
        members.collect::<Result<Vec<_>, _>>()
    });
    let members = members.transpose().map_err(|error| text(&error))?;
    Ok(component_access(members.as_deref(), &urls))
}

/// What the log says of the request whose answer had this execution id.
fn explain_request(state: &StateDirectory, id: &str) -> Result<ExitCode, Message> {
    let query = Query {
        execution_id: Some(id.to_owned()),
        limit: 1000,
        ..Query::default()
    };
    let found = read(&state.log_directory()?, &query).map_err(|error| error.to_string())?;
    // What a function prints is INFO or ERROR, and it can print only in an execution.
    let is_execution = found
        .entries
        .iter()
        .any(|record| record.severity == Severity::Debug);
    let refused = found.entries.iter().find(|record| {
        record.severity == Severity::Warning && record.message().starts_with(REFUSED)
    });
    if let (Some(refused), false) = (refused, is_execution) {
        let renderer = ReadRenderer::for_stdout(ReadFormat::Table, &refused.function);
        show(renderer, refused)?;
        return Ok(ExitCode::FAILURE);
    }
    if found.entries.is_empty() {
        return Err(format!(
            "the log knows no execution `{id}`; expected the 12 characters of an answer's header Function-Execution-Id"
        ));
    }
    print(&format!(
        "The request {id} was let in; see `host functions logs read --execution-id {id}`.\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn show(mut renderer: ReadRenderer, record: &StoredEntry) -> Result<(), Message> {
    let mut out = Vec::new();
    renderer.header(&mut out);
    renderer.render(record, &mut out);
    print(&String::from_utf8_lossy(&out))
}

fn read_token(token: &str) -> Result<String, Message> {
    if token != "-" {
        return Ok(token.to_owned());
    }
    std::io::read_to_string(std::io::stdin().lock())
        .map_err(|error| format!("cannot read the token: {error}"))
}

fn fetch_all(issuers: Vec<OutsideIssuer>) -> Result<Vec<TrustedIssuer>, Message> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start: {error}"))?;
    let fetch = |issuer: OutsideIssuer| {
        let fetched = runtime.block_on(issuer.keys.fetch());
        let fetched = fetched.map_err(|error| error.to_string());
        let keys = fetched.and_then(|fetched| match fetched.value.problem() {
            Some(problem) => Err(format!("{}: {problem}", issuer.config.issuer())),
            None => Ok(fetched.value),
        });
        if let Err(error) = &keys {
            stderr::line!("warning: {error}");
        }
        TrustedIssuer::new(issuer.config).with_keys(keys.ok().map(Into::into))
    };
    Ok(issuers.into_iter().map(fetch).collect())
}

fn shown(step: &Step) -> String {
    let verdict = match &step.refusal {
        None => "pass",
        Some(_) => "fail",
    };
    let mut lines = format!(
        "{verdict}  {}\n      expected: {}\n      found:    {}\n",
        step.title, step.expected, step.found
    );
    if let Some(refusal) = &step.refusal {
        let setting = refusal_setting(refusal);
        lines.push_str(&format!("      {refusal}\n      setting:  {setting}\n"));
    }
    lines
}
