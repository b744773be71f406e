//! The flags of gcloud that no command here has, and what becomes of them: one table.
//!
//! A flag that could change what a command does is refused with the reason, never passed over. `docs/gcloud.md` says the
//! same to people.

/// A flag of gcloud.
pub(super) struct Flag {
    /// With its dashes.
    pub(super) name: &'static str,
    /// Words that are all in the name of a command that has it.
    of: &'static str,
    pub(super) takes_value: bool,
    pub(super) meaning: Meaning,
}

/// What a flag means here.
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
const NOUNS: [&str; 4] = ["functions", "scheduler", "iam", "auth"];

/// The flag called `name` of the command `path`.
pub(super) fn find(name: &str, path: &[String]) -> Option<&'static Flag> {
    let is_of_gcloud = path
        .first()
        .is_some_and(|noun| NOUNS.contains(&noun.as_str()));
    let is_of = |words: &str| {
        words
            .split_whitespace()
            .all(|word| path.iter().any(|part| part == word))
    };
    FLAGS
        .iter()
        .find(|flag| is_of_gcloud && flag.name == name && is_of(flag.of))
}

const fn flag(name: &'static str, of: &'static str, meaning: Meaning) -> Flag {
    Flag {
        name,
        of,
        takes_value: false,
        meaning,
    }
}

const fn valued(name: &'static str, of: &'static str, meaning: Meaning) -> Flag {
    Flag {
        name,
        of,
        takes_value: true,
        meaning,
    }
}

const NOTHING_IS_BUILT: &str = "nothing is built here: give the component (a .wasm file) with --source; `host new` writes a project that makes one";
const HTTP_ONLY: &str = "functions are called over HTTP; a job calls one on a schedule: `host scheduler jobs create http`";
const OWNER: &str = "a command acts as the owner of the state directory, and as nobody else";
const OUTBOUND: &str = "what a function may call is said with --allow-outbound";
const CONDITIONS: &str = "bindings have no conditions";

/// All of them.
static FLAGS: &[Flag] = &[
    // Of every command below these nouns.
    valued("--project", "", Nothing),
    valued("--region", "", Nothing),
    valued("--regions", "functions list", Nothing),
    valued("--location", "", Nothing),
    valued("--billing-project", "", Nothing),
    flag("--quiet", "", Nothing),
    flag("-q", "", Nothing),
    valued("--verbosity", "", Nothing),
    flag("--user-output-enabled", "", Nothing),
    flag(
        "--no-user-output-enabled",
        "",
        Refused("output is always on; send it to /dev/null"),
    ),
    flag("--no-log-http", "", Nothing),
    flag(
        "--log-http",
        "",
        Refused("a command makes no requests that could be logged"),
    ),
    valued("--account", "", Refused(OWNER)),
    valued("--impersonate-service-account", "", Refused(OWNER)),
    valued("--access-token-file", "", Refused(OWNER)),
    valued(
        "--configuration",
        "",
        Refused("there are no configurations; name the state with --state-dir or $HOST_STATE_DIR"),
    ),
    valued(
        "--flags-file",
        "",
        Refused("write the flags on the command line"),
    ),
    valued(
        "--trace-token",
        "",
        Refused("there is no service of Google's to trace"),
    ),
    valued("--flatten", "", Refused("use --format json and jq")),
    valued(
        "--format",
        "",
        Refused("this command prints what it did in one form; `list` and `describe` take --format"),
    ),
    // Of lists.
    valued("--page-size", "list", Nothing),
    flag(
        "--uri",
        "list",
        Refused("use --format 'value(name)', or 'value(url)' for functions"),
    ),
    // Of functions.
    flag("--gen2", "functions", Nothing),
    flag("--no-gen2", "functions", Nothing),
    flag("--v2", "functions", Nothing),
    valued(
        "--run-service-account",
        "functions deploy",
        Same("--service-account"),
    ),
    valued("--runtime", "functions deploy", Refused(NOTHING_IS_BUILT)),
    valued(
        "--entry-point",
        "functions deploy",
        Refused("a component has one entry point, wasi:http/incoming-handler; leave it out"),
    ),
    valued(
        "--runtime-update-policy",
        "functions deploy",
        Refused(NOTHING_IS_BUILT),
    ),
    valued(
        "--stage-bucket",
        "functions deploy",
        Refused(NOTHING_IS_BUILT),
    ),
    valued(
        "--ignore-file",
        "functions deploy",
        Refused(NOTHING_IS_BUILT),
    ),
    valued(
        "--docker-registry",
        "functions deploy",
        Refused(NOTHING_IS_BUILT),
    ),
    valued(
        "--docker-repository",
        "functions deploy",
        Refused(NOTHING_IS_BUILT),
    ),
    valued(
        "--set-build-env-vars",
        "functions deploy",
        Refused(NOTHING_IS_BUILT),
    ),
    valued(
        "--build-env-vars-file",
        "functions deploy",
        Refused(NOTHING_IS_BUILT),
    ),
    valued(
        "--build-service-account",
        "functions deploy",
        Refused(NOTHING_IS_BUILT),
    ),
    valued(
        "--build-worker-pool",
        "functions deploy",
        Refused(NOTHING_IS_BUILT),
    ),
    valued("--trigger-topic", "functions deploy", Refused(HTTP_ONLY)),
    valued("--trigger-bucket", "functions deploy", Refused(HTTP_ONLY)),
    valued("--trigger-event", "functions deploy", Refused(HTTP_ONLY)),
    valued("--trigger-resource", "functions deploy", Refused(HTTP_ONLY)),
    valued(
        "--trigger-event-filters",
        "functions deploy",
        Refused(HTTP_ONLY),
    ),
    valued("--trigger-location", "functions deploy", Refused(HTTP_ONLY)),
    valued(
        "--trigger-service-account",
        "functions deploy",
        Refused(HTTP_ONLY),
    ),
    flag(
        "--retry",
        "functions deploy",
        Refused(
            "jobs are tried again, functions are not: --max-retry-attempts of `host scheduler jobs create http`",
        ),
    ),
    flag("--no-retry", "functions deploy", Nothing),
    valued(
        "--cpu",
        "functions deploy",
        Refused(
            "executions share the processors of the host in turn; bound them with --concurrency and --timeout",
        ),
    ),
    valued(
        "--ingress-settings",
        "functions deploy",
        NothingIf(
            &["all"],
            "who reaches the host is said with `host serve --addr`, who may call with --no-allow-unauthenticated",
        ),
    ),
    valued("--egress-settings", "functions deploy", Refused(OUTBOUND)),
    valued("--vpc-connector", "functions deploy", Refused(OUTBOUND)),
    flag("--clear-vpc-connector", "functions deploy", Nothing),
    valued(
        "--security-level",
        "functions deploy",
        NothingIf(
            &["secure-optional"],
            "TLS is for the whole host: `host serve --tls-cert FILE --tls-key FILE`",
        ),
    ),
    flag(
        "--serve-all-traffic-latest-revision",
        "functions deploy",
        Nothing,
    ),
    valued(
        "--kms-key",
        "functions deploy",
        Refused("the state directory is as safe as the disk that it is on"),
    ),
    flag("--clear-kms-key", "functions deploy", Nothing),
    valued(
        "--binary-authorization",
        "functions deploy",
        Refused("components are not signed"),
    ),
    flag(
        "--clear-labels",
        "functions deploy",
        Refused("name the labels to remove: --remove-labels KEY,…"),
    ),
    flag(
        "--clear-secrets",
        "functions deploy",
        Refused("name the secrets to remove: --remove-secrets KEY,…"),
    ),
    valued(
        "--cloud-event",
        "functions call",
        Refused("functions take HTTP requests; give what is sent with --data"),
    ),
    valued("--condition", "functions", NothingIf(&["None"], CONDITIONS)),
    valued("--condition-from-file", "functions", Refused(CONDITIONS)),
    flag(
        "--all",
        "functions remove-iam-policy-binding",
        Refused("name each binding to remove"),
    ),
    // Of the log.
    valued(
        "--filter",
        "logs read",
        Refused(
            "entries are chosen with --min-log-level, --contains, --regex, --status, --job and others; see --help",
        ),
    ),
    valued(
        "--sort-by",
        "logs read",
        Refused("entries have the order of time; --order desc turns it round"),
    ),
    valued("--page-size", "logs read", Nothing),
    valued("--tail", "logs read", Same("--limit")),
    valued("--lines", "logs read", Same("--limit")),
    // Of jobs.
    valued(
        "--oauth-service-account-email",
        "scheduler jobs",
        Refused("jobs send identity tokens: --oidc-service-account-email"),
    ),
    valued(
        "--oauth-token-scope",
        "scheduler jobs",
        Refused("jobs send identity tokens: --oidc-service-account-email"),
    ),
    // Of accounts and tokens.
    valued(
        "--description",
        "iam service-accounts create",
        Refused("an account has a name that people call it by: --display-name"),
    ),
    valued(
        "--token-format",
        "auth print-identity-token",
        NothingIf(
            &["standard"],
            "tokens are those of a service account, not of a machine",
        ),
    ),
    flag(
        "--include-license",
        "auth print-identity-token",
        Refused("tokens are those of a service account, not of a machine"),
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
        for flag in FLAGS {
            let mut commands = 0;
            each(&command(), &mut Vec::new(), &mut |command, path| {
                let is_found = find(flag.name, path).is_some_and(|found| std::ptr::eq(found, flag));
                if is_found && !command.get_arguments().any(|arg| goes_by(arg, flag.name)) {
                    commands += 1;
                }
            });
            assert!(commands > 0, "{} {}", flag.of, flag.name);
        }
    }

    #[test]
    fn a_flag_that_goes_by_another_name_leads_to_one_that_there_is() {
        for flag in FLAGS {
            let Same(name) = flag.meaning else { continue };
            let mut commands = 0;
            each(&command(), &mut Vec::new(), &mut |command, path| {
                if find(flag.name, path).is_some_and(|found| std::ptr::eq(found, flag)) {
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
        for flag in FLAGS {
            let is_named = words
                .iter()
                .any(|word| word.split(' ').next() == Some(flag.name));
            assert!(is_named, "{}", flag.name);
        }
    }
}
