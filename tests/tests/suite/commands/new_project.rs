//! `host new` writes projects that build with their language's own tools, and run here and elsewhere.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;
use tests::{Directory, Host, new_project};

#[test]
fn a_project_is_written_whole_and_says_how_to_go_on() {
    for (flags, component, files) in [
        (
            &[][..],
            "target/wasm32-wasip2/release/my_function.wasm",
            ["Cargo.toml", "src/handler.rs", "README.md"],
        ),
        (
            &["--template=python"],
            "my-function.wasm",
            ["app.py", "wit/world.wit", "wit/deps/http/types.wit"],
        ),
    ] {
        let directory = Directory::new();
        let path = directory.path().join("project");
        let output = Host::command(["new", "my-function", "--path"])
            .arg(&path)
            .args(flags)
            .run();
        assert_eq!(output.code, Some(0), "{output:?}");
        assert!(
            output.stderr.contains(&format!("host serve {component}")),
            "{output:?}"
        );
        for file in files {
            assert!(path.join(file).is_file(), "{file}");
        }
        for file in ["spin.toml", ".wash/config.yaml", "workload.yaml"] {
            let text = fs::read_to_string(path.join(file)).expect("it is written");
            assert!(text.contains(component), "{file}: {text}");
            for blank in ["NAME", "COMPONENT", "BUILD"] {
                assert!(!text.contains(blank), "{file}: {text}");
            }
        }
    }
}

#[test]
fn the_commands_to_go_on_with_can_be_typed_as_they_are_shown() {
    let directory = Directory::new();
    let path = directory.path().join("it's mine");
    let output = Host::command(["new", "f", "--path"]).arg(&path).run();
    let shown = output.stderr.lines().nth(1).expect("it says how to go on");
    let listed = Command::new("sh")
        .args(["-c", &format!("{shown} && ls")])
        .output()
        .expect("there is a shell");
    let listed = String::from_utf8_lossy(&listed.stdout);
    assert!(listed.contains("spin.toml"), "{shown}: {listed}");
}

#[test]
fn nothing_is_overwritten_and_bad_names_are_refused() {
    let directory = Directory::new();
    let file = directory.path().join("mine");
    fs::write(&file, "mine").unwrap();
    let refused = Host::command(["new", "f", "--path"])
        .arg(directory.path())
        .run();
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("is not empty"), "{refused:?}");
    assert_eq!(fs::read_to_string(file).unwrap(), "mine");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    for (name, part) in [
        ("", "empty"),
        ("F", "`F`"),
        ("1f", "`1f`"),
        ("step-2", "`2`"),
        ("f-", "a dash"),
        ("f--g", "a dash"),
        ("f_g", "`_`"),
        ("../f", "`.`"),
        ("f/g", "`/`"),
    ] {
        let refused = Host::command(["new", name]).run();
        assert_eq!(refused.code, Some(2), "{name}: {refused:?}");
        assert!(refused.stderr.contains(part), "{refused:?}");
        assert!(
            refused.stderr.contains("such as my-function"),
            "{refused:?}"
        );
    }
}

#[track_caller]
fn read(project: &Directory, file: &str) -> String {
    fs::read_to_string(project.path().join(file)).expect("it is written")
}

#[test]
fn in_a_cluster_a_service_leads_to_the_workload() {
    let text = read(&new_project("rust"), "workload.yaml");
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).expect("it is YAML");
    let [service, workload] = &documents[..] else {
        panic!("two documents are expected: {text}");
    };
    assert_eq!(
        (&service["kind"], &workload["kind"]),
        (&"Service".into(), &"WorkloadDeployment".into())
    );
    let named = &workload["spec"]["template"]["spec"]["kubernetes"]["service"]["name"];
    assert_eq!(named, &service["metadata"]["name"]);
    assert_eq!(named, "my-function");
    // The operator names the endpoints' port so, and a selector would lead elsewhere.
    assert_eq!(service["spec"]["ports"][0]["name"], "http");
    assert!(service["spec"]["selector"].is_null());
    for word in ["allowedHosts", "--insecure", "--allow-insecure-registries"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn what_tools_leave_behind_is_kept_out_of_git() {
    for template in ["rust", "python"] {
        let ignored = read(&new_project(template), ".gitignore");
        for line in [".spin/", "*.wasm", "target/", ".venv/"] {
            assert!(ignored.lines().any(|other| other == line), "{ignored}");
        }
    }
}

/// The commands that Spin and wash run, each by `sh -c` where the project is.
#[track_caller]
fn build_commands(project: &Directory) -> [String; 2] {
    let spin = read(project, "spin.toml");
    let spin = spin
        .lines()
        .find_map(|line| line.strip_prefix("command = "));
    let spin = spin
        .expect("Spin is told how to build")
        .trim_matches('"')
        .to_owned();
    let wash: Value =
        serde_saphyr::from_str(&read(project, ".wash/config.yaml")).expect("it is YAML");
    let wash = wash["build"]["command"]
        .as_str()
        .expect("wash is told how to build");
    [spin, wash.to_owned()]
}

#[test]
fn spin_and_wash_find_the_tools_that_were_installed_into_the_project() {
    let project = new_project("python");
    let tools = project.path().join(".venv/bin");
    fs::create_dir_all(&tools).unwrap();
    let tool = tools.join("componentize-py");
    fs::write(&tool, "#!/bin/sh\necho built > my-function.wasm\n").unwrap();
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    for command in build_commands(&project) {
        let status = Command::new("sh")
            .args(["-c", &command])
            .current_dir(project.path())
            .env("PATH", "/usr/bin:/bin")
            .status()
            .expect("there is a shell");
        assert!(status.success(), "{command}");
        let built = project.path().join("my-function.wasm");
        assert_eq!(fs::read_to_string(&built).expect("it is built"), "built\n");
        fs::remove_file(built).unwrap();
    }
}

#[test]
fn the_readme_shows_the_command_that_the_other_hosts_run() {
    for template in ["rust", "python"] {
        let project = new_project(template);
        let [spin, wash] = build_commands(&project);
        assert_eq!(spin, wash);
        let readme = read(&project, "README.md");
        assert!(readme.lines().any(|line| line == spin), "{spin}: {readme}");
    }
}
