//! What people type who know gcloud, kubectl or docker: it is taken, or refused in a line that says why.

use std::process::Command;

use tests::{Host, HostBuilder, Output, State};

const URI: &str = "http://127.0.0.1:1/hello_world";

/// Two jobs.
fn two_jobs() -> State {
    let state = State::new();
    state.create_job("hourly", "0 * * * *", URI, &["--description=On the hour"]);
    state.create_job(
        "daily",
        "0 9 * * *",
        "http://127.0.0.1:1/report",
        &["--attempt-deadline=30s"],
    );
    state
}

#[track_caller]
fn stdout(command: HostBuilder) -> String {
    let output = command.run();
    assert_eq!(output.code, Some(0), "{output:?}");
    output.stdout
}

#[track_caller]
fn assert_refused(output: &Output, code: i32, words: &[&str]) {
    assert_eq!(
        (output.code, &*output.stdout),
        (Some(code), ""),
        "{output:?}"
    );
    for word in words {
        assert!(output.stderr.contains(word), "{word}: {}", output.stderr);
    }
}

#[test]
fn flags_that_every_script_carries_are_taken() {
    let state = two_jobs();
    for line in [
        "scheduler jobs list --location local --project local",
        "scheduler jobs list --project=local --verbosity=error --page-size 5 --quiet",
        "--project local --quiet scheduler jobs list",
        "scheduler --location local jobs describe hourly",
        "scheduler jobs describe projects/p/locations/us-central1/jobs/hourly",
        "scheduler jobs update http hourly --region local --description d --quiet",
        "scheduler jobs pause hourly --location=local -q",
        "scheduler jobs delete daily --location local --quiet",
        "functions list --regions local --v2 --filter name:x --limit 5",
        "functions list --gen2 --region local --sort-by ~name --format none",
        "functions logs read --gen2 --region local --limit 3",
        "logging read severity>=ERROR --freshness 1d --order asc --project local --limit 3",
        "iam service-accounts list --project local",
    ] {
        let output = state.run(line);
        assert_eq!(output.code, Some(0), "{line}: {output:?}");
    }
}

#[test]
fn what_gclouds_users_do_before_they_begin_is_answered_with_what_there_is_instead() {
    let state = State::new();
    let enabled = state.run("services enable cloudfunctions.googleapis.com --project p");
    assert_eq!(enabled.code, Some(0), "{enabled:?}");
    assert!(enabled.stderr.contains("is always on"), "{enabled:?}");
}

#[test]
fn another_project_or_location_than_the_hosts_is_refused() {
    let state = two_jobs();
    for (line, words) in [
        ("scheduler jobs list --project p", "the project `local`"),
        (
            "--region us-central1 scheduler jobs delete daily -q",
            "the location `local`",
        ),
    ] {
        let output = state.run(line);
        assert_refused(&output, 1, &[words, "serve with --"]);
    }
    assert_eq!(state.job("daily")["state"], "ENABLED");
}

#[test]
fn flags_that_would_change_something_are_refused_with_the_reason() {
    let state = two_jobs();
    for (line, word) in [
        ("functions deploy f --vpc-connector=c", "--allow-outbound"),
        (
            "functions deploy f --trigger-topic t",
            "scheduler jobs create http",
        ),
        (
            "functions deploy f --ingress-settings internal-only",
            "--addr",
        ),
        (
            "functions describe f --impersonate-service-account a@b",
            "owner of the state directory",
        ),
        (
            "scheduler jobs create http j --oauth-service-account-email a@b",
            "--oidc-service-account-email",
        ),
        ("scheduler jobs pause hourly --format json", "--format"),
        ("functions logs read --sort-by time", "--order desc"),
        ("logging read --bucket b", "--log"),
    ] {
        let output = state.run(line);
        assert_refused(&output, 2, &["is not for this host", word]);
        assert_eq!(output.stderr.lines().count(), 3, "{}", output.stderr);
    }
    let paused = state.job("hourly");
    assert_eq!(paused["state"], "ENABLED");
}

#[test]
fn what_scripts_for_gcloud_say_of_a_source_is_taken_for_a_component_alone() {
    let state = State::new();
    let source = tests::guest("hello");
    let folder = state.beside().join("built");
    std::fs::create_dir(&folder).expect("it can be made");
    std::fs::copy(source, folder.join("f.wasm")).expect("it can be copied");
    let flags = "--gen2 --trigger-http --ingress-settings all --entry-point main --quiet";
    let deploy = |runtime: &str| {
        let source = folder.display();
        state.run(&format!(
            "functions deploy f --source {source} --runtime {runtime} {flags}"
        ))
    };
    let deployed = deploy("wasi");
    assert_eq!(deployed.code, Some(0), "{deployed:?}");
    let refused = deploy("python312");
    assert_refused(&refused, 2, &["not built from source yet", "host new"]);
    let entry_point = state.run("functions deploy f --entry-point main");
    assert_refused(&entry_point, 2, &["--runtime"]);
}

#[test]
fn lists_are_filtered_sorted_cut_and_printed_by_their_keys() {
    let state = two_jobs();
    let list = |flags: &[&str]| stdout(state.jobs(["list"]).args(flags));
    let value = "--format=value(name)";
    assert_eq!(list(&[value]), "daily\nhourly\n");
    assert_eq!(list(&[value, "--sort-by=~name"]), "hourly\ndaily\n");
    assert_eq!(
        list(&[value, "--sort-by=attemptDeadline"]),
        "daily\nhourly\n"
    );
    assert_eq!(list(&[value, "--limit=1"]), "daily\n");
    assert_eq!(list(&[value, "--filter=httpTarget.uri:hello"]), "hourly\n");
    assert_eq!(
        list(&[value, "--filter=attemptDeadline>1m OR name=none"]),
        "hourly\n"
    );
    assert_eq!(list(&[value, "--filter=NOT description:*"]), "daily\n");
    assert_eq!(list(&["--filter=name:nothing"]), "");
    assert_eq!(
        list(&["--format=csv(name,httpTarget.uri)", "-n", "1"]),
        "name,uri\ndaily,http://127.0.0.1:1/report\n"
    );
    assert_eq!(
        list(&["--format=table(name:label=ID,schedule)"]),
        "ID      SCHEDULE\ndaily   0 9 * * *\nhourly  0 * * * *\n"
    );
    let table = list(&["--filter", "name=hourly"]);
    assert_eq!(table.lines().count(), 2, "{table}");
    let describe = state.jobs([
        "describe",
        "hourly",
        "--format",
        "value(httpTarget.uri,state)",
    ]);
    assert_eq!(stdout(describe), format!("{URI}\tENABLED\n"));
}

#[test]
fn what_a_list_cannot_do_is_refused_by_its_name() {
    let state = two_jobs();
    for (flag, word) in [
        ("--format=value(createTime.date())", "date()"),
        ("--format=xml", "`xml` is not a format"),
        ("--format=table[box](name)", "`box`"),
        ("--filter=name", "no operator"),
        ("--filter=a=b AND c=d OR e=f", "parentheses"),
        ("--limit=0", "above 0"),
        ("--sort-by=a..b", "is not a key"),
    ] {
        assert_refused(&state.jobs(["list", flag]).run(), 2, &[word]);
    }
    let output = state.jobs(["list", "--filter=stat=ENABLED"]).run();
    assert_eq!(output.code, Some(0));
    assert!(
        output.stderr.contains("nothing here has the key `stat`"),
        "{output:?}"
    );
}

#[test]
fn short_forms_stand_for_what_is_typed_most() {
    let state = two_jobs();
    state.deploy("greet", "hello", &[]);
    assert_eq!(state.run("ps").stdout, state.run("functions list").stdout);
    assert_eq!(
        state.run("jobs").stdout,
        state.run("scheduler jobs list").stdout
    );
    assert_eq!(
        state.run("jobs describe hourly").stdout,
        state.run("scheduler jobs describe hourly").stdout
    );
    assert_refused(&state.run("call greet"), 1, &["host serve"]);
    let updated = state.run("deploy greet --timeout 5s");
    assert_eq!(updated.code, Some(0), "{updated:?}");
    let host = state.serve().start();
    let id = host.get("/greet").execution_id().to_owned();
    state.kept_of(&id);
    for line in [
        "logs greet -n 1 -o json --since 5m",
        "logs --since 1h -n 1 -o json",
        "logs read greet --tail 1 -o json",
    ] {
        let read = state.run(line);
        assert_eq!(read.code, Some(0), "{line}: {read:?}");
        assert_eq!(read.stdout.lines().count(), 1, "{line}: {read:?}");
        assert!(read.stdout.starts_with('{'), "{line}: {read:?}");
    }
    for words in ["help ps", "ps --help", "help logs", "logs --help"] {
        assert_eq!(state.run(words).code, Some(0), "{words}");
    }
}

#[test]
fn a_time_is_taken_as_it_is_shown() {
    let state = two_jobs();
    let next = ["scheduler", "next", "0 * * * *"];
    let shown = state.command(next).args(["--count", "1"]).run();
    let times = shown
        .stdout
        .lines()
        .nth(1)
        .unwrap_or_default()
        .split_whitespace();
    let times: Vec<_> = times.map(str::to_owned).collect();
    assert_eq!(times.len(), 2, "{shown:?}");
    for time in times.iter().map(String::as_str).chain([
        "2026-11-23 14:00:00.007",
        "5m",
        "-2h",
        "2026-11-23",
    ]) {
        for flag in ["--start-time", "--end-time", "--since", "--until"] {
            let read = state.functions(["logs", "read", flag, time]).run();
            assert_eq!(read.code, Some(0), "{flag} {time}: {read:?}");
        }
        let next = state.command(next).args(["--from", time]).run();
        assert_eq!(next.code, Some(0), "{time}: {next:?}");
    }
}

#[test]
fn what_reads_makes_no_store_and_says_that_there_is_none() {
    let state = State::new();
    for line in [
        "functions list",
        "functions describe f",
        "functions delete f --quiet",
        "functions call f",
        "functions get-iam-policy f",
        "functions deploy f --memory 64Mi",
        "scheduler jobs list",
        "scheduler jobs describe j",
        "scheduler jobs runs list j",
        "scheduler jobs run j",
        "iam service-accounts list",
        "iam keys list",
        "auth revoke --subject a",
        "state backup b.db",
        "ps",
    ] {
        let output = state.run(line);
        let directory = state.path().display().to_string();
        assert_refused(
            &output,
            1,
            &["there is no store in", &directory, "--state-dir"],
        );
        assert_eq!(
            output.stderr.lines().count(),
            1,
            "{line}: {}",
            output.stderr
        );
        assert!(!state.path().exists(), "{line}");
    }
    let log = state.run("logs");
    assert_eq!((log.code, &*log.stdout), (Some(0), ""), "{log:?}");
    assert!(
        log.stderr.starts_with("note: there is no store in"),
        "{log:?}"
    );
    assert!(!state.path().exists(), "logs");
    state.deploy("f", "hello", &[]);
    assert_eq!(state.names(), ["f"]);
}

#[test]
fn no_tip_leads_astray() {
    let state = two_jobs();
    let mistyped = state.run("functions deploy f --sorce f.wasm");
    assert_refused(&mistyped, 2, &["--source"]);
    for (line, word) in [
        ("functions list --nothing", "'--nothing'"),
        ("functions logs greet", "host functions logs read greet"),
        (
            "scheduler jobs create hourly --schedule x",
            "create http hourly",
        ),
        ("functions ls", "`list` does that"),
        ("tail", "host logs --follow"),
        ("config set project p", "one project"),
        ("auth login", "nobody logs in"),
        ("fnctions list", "functions"),
    ] {
        let output = state.run(line);
        assert_refused(&output, 2, &[word]);
        assert!(
            !output.stderr.contains("as a value"),
            "{line}: {}",
            output.stderr
        );
    }
}

/// What bash proposes for the last word of `line`.
fn completed(state: &State, line: &str) -> Vec<String> {
    let script = stdout(Host::command(["completion", "bash"]));
    let script = format!(
        "{script}\ncompopt() {{ :; }}\nCOMP_LINE=$1 COMP_POINT=${{#1}}\n_host \"$HOST_UNDER_TEST\"\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let output = Command::new("bash")
        .args(["-c", &script, "bash", line])
        .env("HOST_UNDER_TEST", tests::host_binary())
        .env("HOST_STATE_DIR", state.path())
        .output()
        .expect("bash runs");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn completion_knows_what_the_store_has() {
    let state = two_jobs();
    state.deploy("greet", "hello", &[]);
    assert_eq!(
        state.run("iam service-accounts create caller").code,
        Some(0)
    );
    for (line, expected) in [
        ("host functions describe ", &["greet"][..]),
        ("host logs gr", &["greet"]),
        ("host --project p scheduler jobs run ", &["daily", "hourly"]),
        ("host functions logs read --job h", &["hourly"]),
        (
            "host iam service-accounts delete c",
            &["caller@host.internal"],
        ),
        (
            "host functions add-iam-policy-binding greet --member serviceAccount:c",
            &["caller@host.internal"],
        ),
        (
            "host functions call greet --impersonate-service-account=c",
            &["caller@host.internal"],
        ),
        ("host logs --severity w", &["warning"]),
        (
            "host scheduler next '0 * * * *' --time-zone Australia/Sy",
            &["Australia/Sydney"],
        ),
        ("host scheduler jobs p", &["pause"]),
        ("host functions deploy greet --mem", &["--memory"]),
        ("host functions deploy greet --source ", &[]),
    ] {
        assert_eq!(completed(&state, line), expected, "{line}");
    }
    let nowhere = State::new();
    assert_eq!(completed(&nowhere, "host functions describe "), [""; 0]);
    assert!(!nowhere.path().exists());
}
