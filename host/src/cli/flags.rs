//! Flags of settings, made from their definitions.

use std::ffi::OsString;

use clap::builder::{OsStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use serde_json::Value;

use crate::config::HostSettings;
use crate::settings::{Change, Flag, Setting, Settings};

/// Some settings, as one command takes them.
pub(super) trait Section {
    /// Whose settings they are.
    type Settings: Settings;
    /// The section of the definitions.
    const SECTION: &'static str;
    /// The heading of the flags in help.
    const HEADING: &'static str = Self::SECTION;

    /// Whether the command takes `setting`.
    fn takes(setting: &Setting<Self::Settings>) -> bool {
        let _ = setting;
        true
    }

    /// The flag of `setting`, made to fit the command.
    fn fitted(flag: Arg, setting: &Setting<Self::Settings>) -> Arg;
}

/// A section of the settings of a host. A file may have them as well, so the default is in force only where neither says
/// anything.
pub(super) trait HostSection {
    /// The section of the definitions, and the heading of the flags.
    const NAME: &'static str;
}

impl<S: HostSection> Section for S {
    type Settings = HostSettings;
    const SECTION: &'static str = S::NAME;

    fn fitted(flag: Arg, setting: &Setting<HostSettings>) -> Arg {
        let once = match setting.flag {
            Flag::Made { is_list: true, .. } => "; once for each",
            _ => "",
        };
        flag.help(match setting.default {
            Some(default) => format!("{}{once} [default: {default}]", setting.help),
            None => format!("{}{once}", setting.help),
        })
    }
}

/// What the flags of a section change.
pub(super) struct Flags<S: Section>(Vec<(Named<S>, Change<S::Settings>)>);

/// The setting that a flag is of.
type Named<S> = &'static Setting<<S as Section>::Settings>;

impl<S: Section> Flags<S> {
    /// Changes `settings` as the flags say.
    pub(super) fn apply(&self, settings: &mut S::Settings) {
        // Each value of a list goes before those that are there.
        for (_, change) in self.0.iter().rev() {
            change.apply(settings);
        }
    }

    /// Whether no flag is given.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The settings that the flags name, as `describe` would show them.
    pub(super) fn shown(&self) -> impl Iterator<Item = (String, Value)> {
        let mut settings = S::Settings::default();
        self.apply(&mut settings);
        let named = self.0.iter().map(|(setting, _)| setting);
        named.map(move |setting| (setting.shown_name(), (setting.show)(&settings)))
    }
}

impl<S: Section> Clone for Flags<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: Section> Default for Flags<S> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<S: Section> Args for Flags<S> {
    fn augment_args(command: Command) -> Command {
        settings::<S>().fold(command, |command, setting| match made::<S>(setting) {
            Some(flag) => command.arg(flag),
            None => command,
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<S: Section> FromArgMatches for Flags<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for setting in settings::<S>() {
            let changes = matches.get_many::<Change<S::Settings>>(setting.name);
            let changes = changes.into_iter().flatten().cloned();
            self.0.extend(changes.map(|change| (setting, change)));
        }
        Ok(())
    }
}

/// The settings of the section that have flags which are made.
fn settings<S: Section>() -> impl Iterator<Item = &'static Setting<S::Settings>> {
    let all = S::Settings::ALL.iter();
    all.filter(|setting| match setting.flag {
        Flag::Made { section, .. } => section == S::SECTION && S::takes(setting),
        Flag::ByHand(_) => false,
    })
}

/// The flag of a setting, if it is made.
fn made<S: Section>(setting: &'static Setting<S::Settings>) -> Option<Arg> {
    let Flag::Made { is_list, read, .. } = setting.flag else {
        return None;
    };
    let action = match is_list {
        true => ArgAction::Append,
        false => ArgAction::Set,
    };
    let flag = Arg::new(setting.name)
        .long(setting.flag_name())
        .value_name(setting.value)
        .help_heading(S::HEADING)
        .help(setting.help)
        .action(action);
    let flag = match setting.choices {
        [] => flag.value_parser(OsStringValueParser::new().try_map(move |text| read(&text))),
        choices => {
            let choices = choices.iter();
            let choices = choices.map(|(name, help)| PossibleValue::new(*name).help(*help));
            let parser = PossibleValuesParser::new(choices);
            flag.value_parser(parser.try_map(move |text| read(&OsString::from(text))))
        }
    };
    Some(S::fitted(flag, setting))
}

#[cfg(test)]
mod tests;
