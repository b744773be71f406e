//! The settings that both of Google's versions have, however each writes them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::time::Duration;

use crate::api::Status;
use crate::settings::{Flag, FunctionSettings, Settings};

/// The settings that a client wants. Those that are absent get their defaults.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// A size, such as `256Mi`.
    pub(super) memory: Option<String>,
    /// How long an execution may take.
    pub(super) timeout: Option<Duration>,
    /// The most executions at once.
    pub(super) max_instances: Option<u32>,
    /// Instances that are made ahead of need.
    pub(super) min_instances: Option<u32>,
    /// Executions at once per worker. Stays as it is if it is absent: few clients of Google's set it.
    pub(super) concurrency: Option<u32>,
    /// The service account's address.
    pub(super) service_account: Option<String>,
    /// The environment variables.
    pub(super) environment: BTreeMap<String, String>,
    /// The labels.
    pub(super) labels: BTreeMap<String, String>,
}

impl Wanted {
    /// `before`, changed to what is wanted.
    ///
    /// # Errors
    /// If a value is out of its bounds, or a variable has a name that it cannot have.
    pub(super) fn apply(self, before: &FunctionSettings) -> Result<FunctionSettings, Status> {
        check_environment(&self.environment)?;
        let default = FunctionSettings::default();
        let mut settings = FunctionSettings {
            memory: default.memory,
            timeout: default.timeout,
            max_instances: default.max_instances,
            min_instances: default.min_instances,
            service_account: self.service_account.filter(|email| !email.is_empty()),
            environment: self.environment,
            labels: self.labels,
            ..before.clone()
        };
        // Protobuf has no absent number: 0 is one that is not set.
        let is_set = |number: &u32| *number > 0;
        let timeout = self.timeout.filter(|timeout| !timeout.is_zero());
        let texts = [
            ("memory", self.memory.filter(|memory| !memory.is_empty())),
            (
                "timeout",
                timeout.map(|timeout| format!("{}ms", timeout.as_millis())),
            ),
            (
                "max_instances",
                self.max_instances
                    .filter(is_set)
                    .map(|number| number.to_string()),
            ),
            (
                "min_instances",
                self.min_instances.map(|number| number.to_string()),
            ),
            (
                "concurrency",
                self.concurrency
                    .filter(is_set)
                    .map(|number| number.to_string()),
            ),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                set(&mut settings, name, &text)?;
            }
        }
        Ok(settings)
    }
}

/// Gives the setting `name` the value `text`, as a flag of a command would.
///
/// # Errors
/// If it is none that the setting may have.
pub(super) fn set(settings: &mut FunctionSettings, name: &str, text: &str) -> Result<(), Status> {
    for setting in FunctionSettings::ALL {
        if let Flag::Made { read, .. } = &setting.flag
            && setting.name == name
        {
            let change = read(OsStr::new(text));
            let change = change
                .map_err(|error| Status::invalid(format!("{}: {error}", setting.shown_name())))?;
            change.apply(settings);
        }
    }
    Ok(())
}

/// Makes sure that these can be environment variables.
///
/// # Errors
/// If one cannot be.
pub(super) fn check_environment(environment: &BTreeMap<String, String>) -> Result<(), Status> {
    for (name, value) in environment {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(Status::invalid(format!(
                "`{}` cannot be an environment variable; expected a name without `=`, and text without NUL",
                name.escape_debug()
            )));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_absent_gets_its_default_but_for_what_few_clients_know() {
        let before = FunctionSettings {
            memory: 1 << 20,
            concurrency: 7,
            warm: true,
            max_instances: Some(3),
            ..FunctionSettings::default()
        };
        let after = Wanted::default().apply(&before).unwrap();
        let default = FunctionSettings::default();
        assert_eq!((after.memory, after.max_instances), (default.memory, None));
        assert_eq!((after.concurrency, after.warm), (7, true));
    }

    #[test]
    fn values_have_the_bounds_that_flags_have() {
        let wanted = || Wanted {
            memory: Some("64Mi".into()),
            timeout: Some(Duration::from_secs(5)),
            max_instances: Some(3),
            ..Wanted::default()
        };
        let settings = wanted().apply(&FunctionSettings::default()).unwrap();
        assert_eq!(settings.memory, 64 << 20);
        assert_eq!(settings.timeout, Duration::from_secs(5));
        assert_eq!(settings.max_instances, Some(3));
        for wrong in [
            Wanted {
                memory: Some("64 pages".into()),
                ..wanted()
            },
            Wanted {
                max_instances: Some(10_001),
                ..wanted()
            },
            Wanted {
                timeout: Some(Duration::from_secs(1 << 40)),
                ..wanted()
            },
            Wanted {
                environment: BTreeMap::from([("A=B".into(), String::new())]),
                ..wanted()
            },
            Wanted {
                environment: BTreeMap::from([("A".into(), "\0".into())]),
                ..wanted()
            },
        ] {
            assert!(wrong.apply(&FunctionSettings::default()).is_err());
        }
    }
}
