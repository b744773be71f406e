//! The flags of gcloud that no command here has, and what becomes of them: one table.
//!
//! A flag that could change what a command does is refused with the reason, never passed over. `docs/gcloud.md` says the
//! same to people.

/// A flag of gcloud.
#[derive(Clone, Copy)]
pub(super) struct Flag {
    /// With its dashes.
    pub(super) name: &'static str,
    /// Words that are all in the name of a command that has it.
    of: &'static str,
    pub(super) takes_value: bool,
    pub(super) meaning: Meaning,
}

/// What a flag means here.
#[derive(Clone, Copy)]
pub(super) enum Meaning {
    /// Nothing.
    Nothing,
    /// Nothing with one of these values, which say what is so anyway. Others are refused for this reason.
    NothingIf(&'static [&'static str], &'static str),
    /// What this flag means.
    Same(&'static str),
    /// It is refused, for this reason.
    Refused(&'static str),
}

use Meaning::{Nothing, NothingIf, Refused, Same};

/// The first words of commands that gcloud has as well.
const NOUNS: [&str; 7] = [
    "functions",
    "scheduler",
    "logging",
    "iam",
    "auth",
    "projects",
    "services",
];

/// The flag called `name` of the command `path`.
pub(super) fn find(name: &str, path: &[String]) -> Option<Flag> {
    let is_of_gcloud = path
        .first()
        .is_some_and(|noun| NOUNS.contains(&noun.as_str()));
    let is_of = |words: &str| {
        words
            .split_whitespace()
            .all(|word| path.iter().any(|part| part == word))
    };
    flags().find(|flag| is_of_gcloud && flag.name == name && is_of(flag.of))
}

fn flags() -> impl Iterator<Item = Flag> {
    FLAGS.iter().flat_map(|&(of, names, meaning)| {
        names.split_whitespace().map(move |name| Flag {
            name: name.trim_end_matches('='),
            of,
            takes_value: name.ends_with('='),
            meaning,
        })
    })
}

const CONDITIONS: &str = "bindings have no conditions";
const ORDER: &str = "entries have the order of time; --order desc turns it round";
const NO_MACHINE: &str = "tokens are those of a service account, not of a machine";

/// All of them: words that are all in the name of a command that has them, their names, and what they mean. A name with a
/// `=` takes a value.
static FLAGS: &[(&str, &str, Meaning)] = &[
    // Of every command below these nouns.
    ("", "--billing-project= --verbosity= --quiet -q", Nothing),
    // Where a host is asked, they name what it has to have.
    ("", "--project= --region= --location=", Nothing),
    ("", "--user-output-enabled --no-log-http", Nothing),
    ("functions list", "--regions=", Nothing),
    (
        "",
        "--no-user-output-enabled",
        Refused("output is always on; send it to /dev/null"),
    ),
    (
        "",
        "--log-http",
        Refused("a command makes no requests that could be logged"),
    ),
    (
        "",
        "--account= --impersonate-service-account=",
        Refused(
            "a command acts as the owner of the state directory, or elsewhere as whoever the token in --access-token-file is of",
        ),
    ),
    (
        "",
        "--access-token-file=",
        Refused("this command asks no host elsewhere"),
    ),
    (
        "",
        "--configuration=",
        Refused("there are no configurations; name the state with --state-dir or $HOST_STATE_DIR"),
    ),
    (
        "",
        "--flags-file=",
        Refused("write the flags on the command line"),
    ),
    (
        "",
        "--trace-token=",
        Refused("there is no service of Google's to trace"),
    ),
    ("", "--flatten=", Refused("use --format json and jq")),
    (
        "",
        "--format=",
        Refused("this command prints what it did in one form; `list` and `describe` take --format"),
    ),
    // Of lists.
    ("list", "--page-size=", Nothing),
    (
        "list",
        "--uri",
        Refused("use --format 'value(name)', or 'value(url)' for functions"),
    ),
    // Of functions.
    ("functions", "--gen2 --no-gen2 --v2", Nothing),
    (
        "functions deploy",
        "--clear-kms-key --clear-vpc-connector --no-retry --serve-all-traffic-latest-revision",
        Nothing,
    ),
    (
        "functions deploy",
        "--run-service-account=",
        Same("--service-account"),
    ),
    (
        "functions deploy",
        "--runtime-update-policy= --stage-bucket= --ignore-file= --docker-registry= --docker-repository= \
         --set-build-env-vars= --build-env-vars-file= --build-service-account= --build-worker-pool=",
        Refused(
            "nothing is built here: give the component (a .wasm file) with --source; `host new` writes a project that makes one",
        ),
    ),
    (
        "functions deploy",
        "--trigger-topic= --trigger-bucket= --trigger-event= --trigger-resource= --trigger-event-filters= \
         --trigger-location= --trigger-service-account=",
        Refused(
            "functions are called over HTTP; a job calls one on a schedule: `host scheduler jobs create http`",
        ),
    ),
    (
        "functions deploy",
        "--retry",
        Refused(
            "jobs are tried again, functions are not: --max-retry-attempts of `host scheduler jobs create http`",
        ),
    ),
    (
        "functions deploy",
        "--cpu=",
        Refused(
            "executions share the processors of the host in turn; bound them with --concurrency and --timeout",
        ),
    ),
    (
        "functions deploy",
        "--ingress-settings=",
        NothingIf(
            &["all"],
            "who reaches the host is said with `host serve --addr`, who may call with --no-allow-unauthenticated",
        ),
    ),
    (
        "functions deploy",
        "--egress-settings= --vpc-connector=",
        Refused("what a function may call is said with --allow-outbound"),
    ),
    (
        "functions deploy",
        "--security-level=",
        NothingIf(
            &["secure-optional"],
            "TLS is for the whole host: `host serve --tls-cert FILE --tls-key FILE`",
        ),
    ),
    (
        "functions deploy",
        "--kms-key=",
        Refused("the state directory is as safe as the disk that it is on"),
    ),
    (
        "functions deploy",
        "--binary-authorization=",
        Refused("components are not signed"),
    ),
    (
        "functions deploy",
        "--clear-labels",
        Refused("name the labels to remove: --remove-labels KEY,…"),
    ),
    (
        "functions deploy",
        "--clear-secrets",
        Refused("name the secrets to remove: --remove-secrets KEY,…"),
    ),
    (
        "functions call",
        "--cloud-event=",
        Refused("functions take HTTP requests; give what is sent with --data"),
    ),
    (
        "add-iam-policy-binding",
        "--condition=",
        NothingIf(&["None"], CONDITIONS),
    ),
    (
        "remove-iam-policy-binding",
        "--condition=",
        NothingIf(&["None"], CONDITIONS),
    ),
    (
        "add-iam-policy-binding",
        "--condition-from-file=",
        Refused(CONDITIONS),
    ),
    (
        "remove-iam-policy-binding",
        "--condition-from-file=",
        Refused(CONDITIONS),
    ),
    (
        "remove-iam-policy-binding",
        "--all",
        Refused("name each binding to remove"),
    ),
    // Of the log.
    ("logs read", "--sort-by=", Refused(ORDER)),
    ("logs read", "--page-size=", Nothing),
    ("logs read", "--tail= --lines=", Same("--limit")),
    ("logging read", "--sort-by=", Refused(ORDER)),
    ("logging read", "--page-size=", Nothing),
    ("logging read", "--tail= --lines=", Same("--limit")),
    ("logging read", "--freshness=", Same("--start-time")),
    (
        "logging read",
        "--filter=",
        Refused("give the filter alone: host logs read 'severity>=ERROR'"),
    ),
    (
        "logging read",
        "--bucket= --view= --resource-names= --folder= --organization= --billing-account=",
        Refused("a host has one project and one place for its logs; --log names one of them"),
    ),
    // Of jobs.
    (
        "scheduler jobs",
        "--oauth-service-account-email= --oauth-token-scope=",
        Refused("jobs send identity tokens: --oidc-service-account-email"),
    ),
    // Of accounts and tokens.
    (
        "auth print-identity-token",
        "--token-format=",
        NothingIf(&["standard"], NO_MACHINE),
    ),
    (
        "auth print-identity-token",
        "--include-license",
        Refused(NO_MACHINE),
    ),
];

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::*;
    use crate::cli::arguments::goes_by;
    use crate::cli::command;

    /// Calls `look` with each command that takes arguments, and its name.
    fn each(command: &Command, path: &mut Vec<String>, look: &mut impl FnMut(&Command, &[String])) {
        for part in command.get_subcommands() {
            path.push(part.get_name().to_owned());
            if !part.has_subcommands() {
                look(part, path);
            }
            each(part, path, look);
            path.pop();
        }
    }

    #[test]
    fn each_flag_is_of_a_command_that_lacks_it() {
        for flag in flags() {
            let mut commands = 0;
            each(&command(), &mut Vec::new(), &mut |command, path| {
                let is_found = find(flag.name, path).is_some_and(|found| found.of == flag.of);
                if is_found && !command.get_arguments().any(|arg| goes_by(arg, flag.name)) {
                    commands += 1;
                }
            });
            assert!(commands > 0, "{} {}", flag.of, flag.name);
        }
    }

    #[test]
    fn a_flag_that_goes_by_another_name_leads_to_one_that_there_is() {
        for flag in flags() {
            let Same(name) = flag.meaning else { continue };
            let mut commands = 0;
            each(&command(), &mut Vec::new(), &mut |command, path| {
                if find(flag.name, path).is_some_and(|found| found.of == flag.of) {
                    let mut args = command.get_arguments();
                    assert!(args.any(|arg| goes_by(arg, name)), "{path:?} {name}");
                    commands += 1;
                }
            });
            assert!(commands > 0, "{}", flag.name);
        }
    }

    #[test]
    fn the_page_for_people_names_each_flag() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/gcloud.md");
        let page = std::fs::read_to_string(page).unwrap();
        let words: Vec<_> = page.split('`').skip(1).step_by(2).collect();
        for flag in flags() {
            let is_named = words
                .iter()
                .any(|word| word.split(' ').next() == Some(flag.name));
            assert!(is_named, "{}", flag.name);
        }
    }
}
