//! The functions and the logs whose entries a query asks for.

use super::{Log, Query};
use crate::logs::forms::json_text::escape;
use crate::logs::forms::line_header::{is_function, source_of_log};

/// Selects entries by their source: the function, or the log if that is not the one of the functions.
#[derive(Debug)]
pub(super) struct Sources {
    functions: Functions,
    others: Others,
}

#[derive(Debug)]
enum Functions {
    None,
    All,
    Named(Vec<u8>),
    NamedInAnyCase(Vec<u8>),
}

#[derive(Debug)]
enum Others {
    None,
    All,
    Log(Vec<u8>),
}

impl Sources {
    pub(super) fn of(query: &Query) -> Self {
        let functions = match (&query.log, &query.function, &query.function_in_any_case) {
            (Log::Other(_), ..) => Functions::None,
            (_, Some(name), _) => Functions::Named(escape(name)),
            (_, None, Some(name)) => Functions::NamedInAnyCase(escape(name)),
            (_, None, None) => Functions::All,
        };
        // No entry of another log belongs to a function.
        let is_of_function = query.function.is_some() || query.function_in_any_case.is_some();
        let others = match &query.log {
            _ if is_of_function => Others::None,
            Log::Functions => Others::None,
            Log::Other(id) => Others::Log(source_of_log(id)),
            Log::All => Others::All,
        };
        Self { functions, others }
    }

    /// Whether entries of `source` are asked for. It is as in the header of a line.
    pub(super) fn accepts(&self, source: &[u8]) -> bool {
        match is_function(source) {
            true => match &self.functions {
                Functions::None => false,
                Functions::All => true,
                Functions::Named(name) => name == source,
                Functions::NamedInAnyCase(name) => name.eq_ignore_ascii_case(source),
            },
            false => match &self.others {
                Others::None => false,
                Others::All => true,
                Others::Log(log) => log == source,
            },
        }
    }
}
