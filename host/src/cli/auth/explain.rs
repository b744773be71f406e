//! `host auth explain`

use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;
use serde_json::{Value, json};

use super::super::Message;
use super::super::client::ClientArgs;
use super::super::format::print;
use super::super::outside_issuers::OutsideIssuers;
use super::super::state::StateDirectory;
use super::super::time::instant;
use crate::api::ShownToken;
use crate::logs::{Query, ReadFormat, ReadRenderer, Severity, StoredEntry, read};
use crate::serve::REFUSED;
use crate::stderr;
use crate::store::FunctionName;

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
    host: ClientArgs,
}

impl Explain {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        match (&self.request, &self.token, &self.function) {
            (Some(_), ..) if self.host.endpoint().is_some() => Err(
                "--request looks into the log in the state directory of this machine; leave --endpoint out, or read the log \
                 of the host there"
                    .into(),
            ),
            (Some(id), ..) => explain_request(&self.host.state, id),
            (None, Some(token), Some(function)) => self.explain(token, function),
            _ => Err("say which token and which --function, or which --request".into()),
        }
    }

    fn explain(&self, token: &str, function: &FunctionName) -> Result<ExitCode, Message> {
        let token = read_token(token)?;
        let explained = match self.issuers.are_named() {
            true => self.explain_here(token, function)?,
            false => {
                let time = self.at.map(|time| time.to_string());
                let shown = json!({ "token": token, "function": function, "time": time });
                self.host
                    .client()?
                    .post("/host/v1/tokens:explain", &shown)?
            }
        };
        show_verdict(&explained)
    }

    /// By the issuers of the command line: a host that serves is not told whom else to trust.
    fn explain_here(&self, token: String, function: &FunctionName) -> Result<Value, Message> {
        if self.host.endpoint().is_some() {
            return Err(
                "--config and --issuer are for a host of this machine; leave them out with --endpoint, whose host knows \
                 whom it trusts"
                    .into(),
            );
        }
        let shown = ShownToken {
            token,
            function: function.clone(),
            time: self.at.map_or_else(SystemTime::now, SystemTime::from),
        };
        let store = self.host.state.store()?;
        Ok(shown.explain(&store, self.issuers.find()?)?)
    }
}

/// Prints what became of a token.
fn show_verdict(explained: &Value) -> Result<ExitCode, Message> {
    for warning in explained["warnings"].as_array().into_iter().flatten() {
        stderr::line!("warning: {}", text(warning));
    }
    let checks = explained["checks"].as_array().into_iter().flatten();
    print(&checks.map(shown).collect::<String>())?;
    match text(&explained["verdict"]) {
        "OPEN" => print("The function is open: no token is looked at.\n")?,
        "ACCEPTED" => print("accepted\n")?,
        _ => {
            print(&format!("refused: {}\n", text(&explained["reason"])))?;
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The lines of one check.
fn shown(check: &Value) -> String {
    let verdict = match check["isPassed"] == true {
        true => "pass",
        false => "fail",
    };
    let mut lines = format!("{verdict}  {}\n", text(&check["title"]));
    for (field, label) in [
        ("expected", "expected: "),
        ("found", "found:    "),
        ("reason", ""),
        ("setting", "setting:  "),
    ] {
        if let Some(value) = check[field].as_str() {
            lines.push_str(&format!("      {label}{value}\n"));
        }
    }
    lines
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
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
