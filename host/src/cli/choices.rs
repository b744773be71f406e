//! What the command line calls the values of types that know nothing of it.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::logs::ReadFormat;
use crate::store::{CatchUp, Overlap};

/// Gives each value its name and its help.
macro_rules! choices {
    ($($Type:ident { $($value:ident => $name:literal, $help:literal;)* })*) => {
        $(
            impl ValueEnum for $Type {
                fn value_variants<'a>() -> &'a [Self] {
                    &[$(Self::$value),*]
                }

                fn to_possible_value(&self) -> Option<PossibleValue> {
                    let (name, help) = match self {
                        $(Self::$value => ($name, $help),)*
                    };
                    Some(PossibleValue::new(name).help(help))
                }
            }
        )*
    };
}

choices! {
    Overlap {
        Skip => "skip", "It is skipped";
        Queue => "queue", "One waits; those that come meanwhile are skipped";
        Allow => "allow", "It runs as well";
    }
    CatchUp {
        Last => "last", "The latest is run";
        None => "none", "They are missed";
        All => "all", "The latest 100 are run, one after the other";
    }
    ReadFormat {
        Table => "table", "A table, for people";
        Json => "json", "JSON Lines, as they are stored";
        Logfmt => "logfmt", "KEY=VALUE pairs, one entry a line";
    }
}
