//! Commands for a host on another machine: `--endpoint` with a token in a file.

use tests::{Certificate, Output, State, guest};

/// Runs a command as somebody who has no state directory of their own, and the token of `state` in a file.
fn run_elsewhere(state: &State, endpoint: &str, further: &[&str], command: &[&str]) -> Output {
    let token = state.file("token", state.access_token());
    let nobody = State::new();
    nobody
        .command(command)
        .args(["--endpoint", endpoint, "--access-token-file"])
        .arg(token)
        .args(further)
        .run()
}

#[test]
fn a_command_does_the_same_from_another_machine() {
    let state = State::with_store();
    let host = state.serve().start();
    state.create_job("j", "0 0 1 1 *", "http://127.0.0.1:1/", &[]);
    let endpoint = format!("http://{}", host.admin_addr());
    let paused = run_elsewhere(&state, &endpoint, &[], &["scheduler", "jobs", "pause", "j"]);
    assert_eq!(
        (paused.code, paused.stderr.trim()),
        (Some(0), "Job has been paused.")
    );
    let again = run_elsewhere(&state, &endpoint, &[], &["scheduler", "jobs", "pause", "j"]);
    let here = state.run("scheduler jobs pause j");
    assert_eq!((again.code, &again.stderr), (Some(1), &here.stderr));
}

#[test]
fn what_a_command_prints_of_another_machine_is_what_it_prints_there() {
    let state = State::new();
    state.deploy("f", "keeps_values", &[]);
    let host = state.serve().start();
    let endpoint = format!("http://{}", host.admin_addr());
    let elsewhere = |line: &str| {
        let output = run_there(&state, &endpoint, line);
        assert_eq!(output.code, Some(0), "{line}: {output:?}");
        output
    };
    for line in [
        "scheduler jobs create http j --schedule @daily --uri http://127.0.0.1:1/ --headers A=1",
        "scheduler jobs update http j --description d --update-headers B=2 --remove-headers a",
        "scheduler jobs run j",
        "keyvalue set f a/:&=b value",
        "keyvalue set f c -3",
        "keyvalue delete f c --quiet",
    ] {
        elsewhere(line);
    }
    for line in [
        "scheduler jobs list",
        "scheduler jobs runs list j --format value(scheduledTime,trigger)",
        "keyvalue list f",
        "keyvalue get f a/:&=b",
        "iam keys list",
        "auth explain e30.e30.e30 --function f",
    ] {
        let (there, here) = (run_there(&state, &endpoint, line), state.run(line));
        assert_eq!(
            (there.code, there.stdout, there.stderr),
            (here.code, here.stdout, here.stderr),
            "{line}"
        );
    }
    let job = state.job("j");
    assert_eq!(job["description"], "d");
    assert_eq!(
        job["httpTarget"]["headers"],
        serde_json::json!({ "B": "2" })
    );
    let revoked = elsewhere("auth revoke --token-id t");
    assert!(
        revoked.stderr.contains("Revoked the token [t]"),
        "{revoked:?}"
    );
    let backup = state.beside().join("backup");
    let made = elsewhere(&format!("state backup {}", backup.display()));
    assert!(made.stderr.contains(&endpoint), "{made:?}");
    let other = State::new();
    let restored = other.run(&format!("state restore {}", backup.display()));
    assert_eq!(restored.code, Some(0), "{restored:?}");
    assert_eq!(other.job("j")["description"], "d");
}

#[test]
fn a_function_is_deployed_called_and_deleted_from_another_machine() {
    let state = State::with_store();
    let host = state.serve().start();
    let endpoint = format!("http://{}", host.admin_addr());
    let there = |line: &str| run_there(&state, &endpoint, line);
    let succeed = |line: &str| {
        let output = there(line);
        assert_eq!(output.code, Some(0), "{line}: {output:?}");
        output
    };
    let deploy = format!("functions deploy f --source {}", guest("hello").display());
    let deployed = succeed(&format!("{deploy} --timeout 1500ms --update-labels a=1"));
    let words = [
        "Deployed revision 1 of [f].",
        "warning: nobody may call [f] yet",
    ];
    assert!(
        words.iter().all(|word| deployed.stderr.contains(word)),
        "{deployed:?}"
    );
    assert_eq!(deployed.stdout, format!("url: http://{}/f\n", host.addr()));
    let member = "--member allUsers --role roles/run.invoker";
    succeed(&format!("functions add-iam-policy-binding f {member}"));
    let updated = succeed("functions deploy f --update-labels b=2 --memory 64Mi");
    assert_eq!(updated.stderr, "Deployed revision 2 of [f].\n");
    for line in [
        "functions list",
        "functions describe f",
        "functions get-iam-policy f",
        "functions describe g",
        "functions deploy g",
        "functions deploy f --memory 1",
        "functions deploy f --source Cargo.toml",
        "functions deploy f --compile-memory 1Gi",
    ] {
        let (there, here) = (there(line), state.run(line));
        assert_eq!(
            (there.code, there.stdout, there.stderr),
            (here.code, here.stdout, here.stderr),
            "{line}"
        );
    }
    let shown = state.describe("f");
    assert_eq!(shown["labels"], serde_json::json!({ "a": "1", "b": "2" }));
    assert_eq!(shown["timeout"], "1500ms");
    let called = succeed(r#"functions call f --data {"name":"Ada"}"#);
    assert!(
        called.stdout.ends_with("\nresult: Hello Ada!\n"),
        "{called:?}"
    );
    let refused = there("functions call f --data none");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stdout.contains("\nerror: "), "{refused:?}");
    let deleted = succeed("functions delete f --quiet");
    assert_eq!(deleted.stderr, "Deleted [f].\n");
    assert_eq!(state.names(), [""; 0]);
}

fn run_there(state: &State, endpoint: &str, line: &str) -> Output {
    let command: Vec<_> = line.split(' ').collect();
    run_elsewhere(state, endpoint, &[], &command)
}

#[test]
fn what_is_about_this_machine_is_refused_for_another_one() {
    let state = State::with_store();
    for line in [
        "auth explain --request abc",
        "auth explain t --function f --issuer https://id.example",
    ] {
        let refused = run_there(&state, "http://127.0.0.1:1", line);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains("--endpoint"), "{refused:?}");
    }
}

#[test]
fn a_command_trusts_the_certificate_that_it_is_told_of_and_sends_no_token_in_the_clear() {
    let state = State::with_store();
    let certificate = Certificate::new();
    let (chain, key) = certificate.write_to(state.beside());
    let host = state
        .command(["serve", "--addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0"])
        .arg("--admin-tls-cert")
        .arg(&chain)
        .arg("--admin-tls-key")
        .arg(key)
        .start();
    let pause = ["scheduler", "jobs", "pause", "none"];
    let endpoint = format!("https://localhost:{}", host.admin_addr().port());
    let ca = chain.display().to_string();
    let trusted = run_elsewhere(&state, &endpoint, &["--endpoint-ca", &ca], &pause);
    assert!(
        trusted.stderr.contains("there is no job `none`"),
        "{trusted:?}"
    );
    let distrusted = run_elsewhere(&state, &endpoint, &[], &pause);
    assert!(
        distrusted.stderr.contains("cannot reach the host"),
        "{distrusted:?}"
    );
    let clear = run_elsewhere(&state, "http://host.example:8081", &[], &pause);
    assert!(clear.stderr.contains("in the clear"), "{clear:?}");
    let nothing = run_elsewhere(&state, "http://127.0.0.1:1", &[], &pause);
    assert!(
        nothing.stderr.contains("cannot reach the host"),
        "{nothing:?}"
    );
    for output in [trusted, distrusted, clear, nothing] {
        assert_eq!(
            (output.code, output.stderr.lines().count()),
            (Some(1), 1),
            "{output:?}"
        );
    }
}
