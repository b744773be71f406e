//! `host check`

mod peers;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::Message;
use super::compiler::CompilerArgs;
use super::format::{DocumentFormat, document, print};
use super::state::StateDirectory;
use crate::config::values::bytes;
use crate::{advice, input, safe};
use host_sandbox::inspection::{Inspection, Parts};
use host_sandbox::memory::KIB;
use host_sandbox::{LoadError, Sandbox, SandboxConfig};
use peers::Verdict;

/// Say what a component exports, imports and needs, and who would take it
///
/// Exits with 1 and the reason if this host would not serve it.
#[derive(Args)]
pub(super) struct Check {
    /// The component, or `-` for standard input
    file: PathBuf,

    /// Memory that an execution would have
    #[arg(long, value_name = "SIZE", default_value = "256Mi", value_parser = bytes)]
    memory: u64,

    /// How the findings are printed
    #[arg(long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    format: Format,

    #[command(flatten)]
    state: StateDirectory,

    #[command(flatten)]
    compiler: CompilerArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

impl Check {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let named = |error: LoadError| advice::named(&error, input::name(&self.file));
        let inspection = self.inspect()?.map_err(named)?;
        let refused = inspection.check(self.memory).err();
        print(&match self.format {
            Format::Text => text(&inspection, refused.as_ref()),
            Format::Json => document(&value(&inspection, refused.as_ref()), DocumentFormat::Json)?,
        })?;
        match refused {
            None => Ok(ExitCode::SUCCESS),
            Some(error) => Err(named(error)),
        }
    }

    fn inspect(&self) -> Result<Result<Inspection, LoadError>, Message> {
        let config = SandboxConfig::default()
            .cache(self.state.compile_cache())
            .compiler(self.compiler.compiler());
        let sandbox = Sandbox::new(config).map_err(|error| error.to_string())?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(|error| format!("cannot start: {error}"))?;
        let inspected = match input::is_stdin(&self.file) {
            true => {
                let most = SandboxConfig::default().component_bytes;
                let wasm = input::stdin("the component", most)?;
                sandbox.inspect_bytes(&wasm, None)
            }
            false => runtime.block_on(sandbox.inspect(&self.file)),
        };
        Ok(inspected)
    }
}

/// Who is asked, this host first.
fn verdicts(inspection: &Inspection, refused: Option<&LoadError>) -> Vec<(&'static str, Verdict)> {
    let host = match refused {
        None if inspection.calls_out() => Verdict::TakesWithFlags("--allow-outbound".into()),
        None => Verdict::Takes,
        Some(error) => Verdict::Refuses(advice::load_error(error)),
    };
    std::iter::once(("host", host))
        .chain(peers::verdicts(inspection))
        .collect()
}

/// What becomes of an instance.
const INSTANCES: &str = "a fresh one for each request; with --warm one answers several, and what it has in memory stays";

fn text(inspection: &Inspection, refused: Option<&LoadError>) -> String {
    let mut rows: Vec<(&str, String)> = Vec::new();
    rows.extend(
        inspection
            .exports
            .iter()
            .map(|name| ("exports", name.clone())),
    );
    rows.extend(
        inspection
            .imports
            .iter()
            .map(|name| ("imports", name.clone())),
    );
    let memory = match inspection.memory {
        Some(bytes) => format!("{} KiB at its start", bytes / KIB),
        None => "known only when it runs".into(),
    };
    rows.push(("memory", memory));
    rows.push(("parts", parts(inspection.parts)));
    if refused.is_none() {
        rows.push(("instances", INSTANCES.into()));
    }
    rows.extend(
        verdicts(inspection, refused)
            .into_iter()
            .map(|(who, verdict)| (who, verdict.to_string())),
    );
    let width = rows.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
    // Names come from the file, which is not trusted with the terminal.
    rows.iter()
        .map(|(label, cell)| format!("{label:width$}  {}\n", safe::text(cell)))
        .collect()
}

fn parts(parts: Parts) -> String {
    let of = |count: u32, one: &str, more: &str| {
        format!("{count} {}", if count == 1 { one } else { more })
    };
    [
        of(parts.core_instances, "core instance", "core instances"),
        of(parts.memories, "memory", "memories"),
        of(parts.tables, "table", "tables"),
    ]
    .join(", ")
}

fn value(inspection: &Inspection, refused: Option<&LoadError>) -> Value {
    let verdicts: serde_json::Map<String, Value> = verdicts(inspection, refused)
        .into_iter()
        .map(|(who, verdict)| (who.to_owned(), verdict.value()))
        .collect();
    json!({
        "exports": inspection.exports,
        "imports": inspection.imports,
        "memoryBytes": inspection.memory,
        "parts": {
            "coreInstances": inspection.parts.core_instances,
            "memories": inspection.parts.memories,
            "tables": inspection.parts.tables,
        },
        "verdicts": verdicts,
    })
}
