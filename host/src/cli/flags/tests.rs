//! Every definition is a flag, and every bound is held.

use super::super::command;
use super::*;
use crate::settings::FunctionSettings;

const SERVE: &[&str] = &["serve"];
const DEPLOY: &[&str] = &["functions", "deploy"];

/// The flags of the command `path`, without the hyphens.
fn flags(path: &[&str]) -> Vec<String> {
    let command = command();
    let command = path.iter().fold(&command, |command, word| {
        command
            .find_subcommand(word)
            .expect("there is such a command")
    });
    let flags = command.get_arguments().filter_map(Arg::get_long);
    flags.map(str::to_owned).collect()
}

#[track_caller]
fn assert_flags<S: Settings>(path: &[&str]) {
    let there = flags(path);
    for setting in S::ALL {
        let expected = match setting.flag {
            Flag::Made { .. } => vec![setting.flag_name()],
            Flag::ByHand(flags) => flags.iter().map(|flag| (*flag).to_owned()).collect(),
        };
        for flag in expected {
            assert!(there.contains(&flag), "--{flag} is no flag of {path:?}");
        }
    }
}

#[test]
fn every_setting_has_the_flags_that_its_definition_names() {
    assert_flags::<HostSettings>(SERVE);
    assert_flags::<FunctionSettings>(DEPLOY);
}

/// Values that are too small or too large, and no values at all, by what is allowed. Where anything is, there is none.
fn refused(bounds: &str) -> Option<&'static [&'static str]> {
    Some(match bounds {
        "1 byte or more" | "1 byte or more, or `unlimited`" => &["0", "17179869184Gi", "lots"],
        "1ms to ten years" => &["0s", "11Y", "soon"],
        "1ms to 10s" => &["0s", "10001ms", "soon"],
        "1 to 10000" => &["0", "10001", "many"],
        "0 to 10000" => &["-1", "10001", "many"],
        "1 to 1000000000" => &["0", "1000000001", "many"],
        "1 to 100" => &["0", "101", "half"],
        "1 to 1000" => &["0", "1001", "many"],
        "0 or more" => &["-1", "18446744073709551616", "many"],
        "1 or more" => &["0", "18446744073709551616", "many"],
        "a project's id" | "a location" => &["", "Upper", "a_b", "-"],
        "1 to 4294967295" => &["0", "4294967296", "many"],
        _ => return None,
    })
}

#[track_caller]
fn assert_bounds<S: Settings>(path: &[&str], count: usize) {
    let bounded = S::ALL.iter().filter_map(|setting| match setting.flag {
        Flag::Made { .. } => Some((setting, refused(setting.bounds)?)),
        Flag::ByHand(_) => None,
    });
    let mut seen = 0;
    for (setting, values) in bounded {
        seen += 1;
        for value in values {
            let flag = format!("--{}", setting.flag_name());
            let given = format!("{flag}={value}");
            let mut words = vec!["host"];
            words.extend(path);
            words.extend(["f", &given]);
            let error = command().try_get_matches_from(words).expect_err(&given);
            assert_eq!(error.exit_code(), 2, "{given}");
            let error = error.to_string();
            for word in [&flag, *value, "; expected "] {
                assert!(error.contains(word), "{word}: {error}");
            }
        }
    }
    assert_eq!(seen, count);
}

#[test]
fn a_value_beyond_its_bounds_is_refused_with_the_setting_the_value_and_the_bounds() {
    assert_bounds::<FunctionSettings>(DEPLOY, 16);
    assert_bounds::<HostSettings>(SERVE, 17);
}

#[test]
fn a_flag_that_can_be_given_several_times_goes_before_the_file() {
    struct Listener;
    impl HostSection for Listener {
        const NAME: &'static str = "Listener";
    }
    let command = Flags::<Listener>::augment_args(Command::new("host"));
    let words = [
        "host",
        "--admin-host=a",
        "--admin-host=b",
        "--max-streams=7",
    ];
    let matches = command.try_get_matches_from(words).unwrap();
    let mut host = HostSettings {
        admin_hosts: vec!["c".into()],
        ..HostSettings::default()
    };
    Flags::<Listener>::from_arg_matches(&matches)
        .unwrap()
        .apply(&mut host);
    assert_eq!(host.admin_hosts, ["a", "b", "c"]);
    assert_eq!((host.max_streams, host.max_connections), (7, 10_000));
}
