//! `host auth doctor`

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Args;
use host_tokens::Algorithm;

use super::super::Message;
use super::super::format::print;
use crate::config::{ConfigFile, IssuerTable};
use crate::identity::{FetchError, KeyDocument, OutsideIssuer};

/// Look at an issuer: its discovery document, its keys, its algorithms and its clock
///
/// Exits with 1 if its tokens could not be checked.
#[derive(Args)]
pub(super) struct Doctor {
    /// The issuer's URL
    issuer: String,

    /// The file that configures it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Doctor {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let issuer = self.issuer()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| format!("cannot start: {error}"))?;
        let fetched = runtime.block_on(issuer.keys.fetch_document());
        let (report, is_well) = report(&issuer, &fetched, SystemTime::now());
        print(&report)?;
        Ok(match is_well {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    }

    /// As it is configured, or else as it would be trusted by its URL alone.
    fn issuer(&self) -> Result<OutsideIssuer, Message> {
        if let Some(path) = &self.config {
            let file = ConfigFile::read(path).map_err(|error| error.to_string())?;
            let issuers = file.issuers().map_err(|error| error.to_string())?;
            let mut issuers = issuers.into_iter();
            let configured = issuers.find(|issuer| issuer.config.issuer().as_str() == self.issuer);
            return configured
                .ok_or_else(|| format!("{} does not configure {}", path.display(), self.issuer));
        }
        let table = IssuerTable {
            url: Some(self.issuer.clone()),
            ..IssuerTable::default()
        };
        let (config, keys) = table.issuer(Path::new("."))?;
        Ok(OutsideIssuer {
            config: config.into(),
            keys,
        })
    }
}

/// What there is to say of `issuer`, and whether its tokens can be checked.
fn report(
    issuer: &OutsideIssuer,
    fetched: &Result<KeyDocument, FetchError>,
    now: SystemTime,
) -> (String, bool) {
    let document = match fetched {
        Ok(document) => document,
        Err(error) => return (format!("fail  keys\n      {error}\n"), false),
    };
    if let Some(problem) = document.keys.problem() {
        return (
            format!("fail  keys\n      {}: {problem}\n", document.url),
            false,
        );
    }
    let mut report = format!(
        "pass  keys: {} at {}, good for {} s\n",
        document.keys.keys().len(),
        document.url,
        document.good_for.as_secs()
    );
    for left_out in document.keys.left_out() {
        let name = left_out
            .kid
            .as_ref()
            .map_or_else(String::new, |kid| format!(" {kid}"));
        report.push_str(&format!("      left out:{name} {}\n", left_out.reason));
    }
    let wanted = issuer.config.algorithms();
    let keys = document.keys.keys().iter();
    let has_key = |algorithm: &&Algorithm| {
        keys.clone()
            .any(|key| key.algorithms().any(|its| its == **algorithm))
    };
    let usable: Vec<_> = wanted
        .iter()
        .filter(has_key)
        .map(Algorithm::to_string)
        .collect();
    let trusted: Vec<_> = wanted.iter().map(Algorithm::to_string).collect();
    let verdict = if usable.is_empty() { "fail" } else { "pass" };
    report.push_str(&format!(
        "{verdict}  algorithms: {} of those that are trusted ({})\n",
        if usable.is_empty() {
            "none".into()
        } else {
            usable.join(", ")
        },
        trusted.join(", ")
    ));
    let is_on_time = clock(document.date, now, issuer.config.leeway(), &mut report);
    (report, !usable.is_empty() && is_on_time)
}

/// How far the clock there is from ours: the time that the answer took counts as well.
fn clock(
    there: Option<SystemTime>,
    here: SystemTime,
    leeway: Duration,
    report: &mut String,
) -> bool {
    let Some(there) = there else {
        report.push_str("      clock: its answer has no date\n");
        return true;
    };
    let (difference, side) = match there.duration_since(here) {
        Ok(ahead) => (ahead, "ahead of"),
        Err(behind) => (behind.duration(), "behind"),
    };
    let is_on_time = difference <= leeway;
    let verdict = if is_on_time { "pass" } else { "fail" };
    report.push_str(&format!(
        "{verdict}  clock: {} s {side} this machine's; {} s are allowed\n",
        difference.as_secs(),
        leeway.as_secs()
    ));
    is_on_time
}
