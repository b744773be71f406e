//! The wasm target from Debian, where rustup's cannot be reached.
//!
//! Debian packages a compiler and the target's standard library. They are fetched with the
//! machine's own apt, from the mirror it already uses and checked against the keys it already
//! trusts, but into a directory of the user's: nothing is installed. The compiler then runs on the
//! libraries that came with it, through their own dynamic loader.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::failure::Failure;
use crate::process::output_within;
use crate::wasm_target::{self, QUESTION_BOUND};

/// The release whose compiler is new enough for the guests (1.85) and has the target.
const SUITE: &str = "trixie";

/// What is fetched, with what it depends on.
const PACKAGES: [&str; 2] = ["rustc", "libstd-rust-dev-wasm32"];

/// What the packages depend on and is not fetched: a linker for this machine is here already, or
/// nothing in this workspace could be built.
const AT_HAND: [&str; 3] = ["binutils", "gcc", "libc6-dev"];

const UPDATE_BOUND: Duration = Duration::from_secs(60);
const DOWNLOAD_BOUND: Duration = Duration::from_secs(300);
const UNPACK_BOUND: Duration = Duration::from_secs(120);

/// A compiler with the target, unpacked.
#[derive(Debug)]
pub(crate) struct Debian {
    rustc: PathBuf,
    linkers: Vec<PathBuf>,
}

impl Debian {
    /// Makes `cargo` build with this compiler, and link with the linkers of the installed one.
    pub(crate) fn equip(&self, cargo: &mut Command) {
        let path = env::var_os("PATH").unwrap_or_default();
        let directories = self.linkers.iter().cloned().chain(env::split_paths(&path));
        if let Ok(path) = env::join_paths(directories) {
            cargo.env("PATH", path);
        }
        cargo.env("RUSTC", &self.rustc);
    }
}

/// Whether the compiler has been fetched before.
pub(crate) fn is_unpacked() -> bool {
    let machine = Machine::this();
    machine.is_ok_and(|machine| home(&machine).is_ok_and(|home| home.is_dir()))
}

/// Finds the unpacked compiler, or fetches and unpacks it.
pub(crate) fn ensure() -> Result<Debian, Failure> {
    let machine = Machine::this()?;
    let linkers = linkers()?;
    let home = home(&machine)?;
    if !home.is_dir() {
        fetch(&home, &machine)?;
    }
    let rustc = write_launcher(&home, &machine)?;
    if wasm_target::has_target(rustc.as_os_str()) {
        Ok(Debian { rustc, linkers })
    } else {
        let home = home.display();
        Err(Failure::NoDebian(format!(
            "the compiler in {home} does not work: remove that directory"
        )))
    }
}

/// What Debian calls this machine.
struct Machine {
    architecture: &'static str,
    triplet: &'static str,
    loader: &'static str,
}

const MACHINES: [Machine; 2] = [
    Machine {
        architecture: "amd64",
        triplet: "x86_64-linux-gnu",
        loader: "ld-linux-x86-64.so.2",
    },
    Machine {
        architecture: "arm64",
        triplet: "aarch64-linux-gnu",
        loader: "ld-linux-aarch64.so.1",
    },
];

impl Machine {
    fn this() -> Result<Self, Failure> {
        let answer = output_within(
            Command::new("dpkg").arg("--print-architecture"),
            QUESTION_BOUND,
        )?;
        let mut machines = MACHINES.into_iter();
        machines
            .find(|machine| machine.architecture == answer.trim())
            .ok_or_else(|| Failure::NoDebian(format!("there is no package for {}", answer.trim())))
    }
}

/// Where the installed toolchain keeps `wasm-component-ld`, and the `wasm-ld` that it calls.
fn linkers() -> Result<Vec<PathBuf>, Failure> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let answer = output_within(
        Command::new(rustc).args(["--print", "target-libdir"]),
        QUESTION_BOUND,
    )?;
    let binaries = Path::new(answer.trim()).with_file_name("bin");
    if binaries.join("wasm-component-ld").exists() {
        Ok(vec![binaries.join("gcc-ld"), binaries])
    } else {
        Err(Failure::NoDebian(
            "the installed Rust toolchain comes without wasm-component-ld".to_owned(),
        ))
    }
}

fn home(machine: &Machine) -> Result<PathBuf, Failure> {
    Ok(cache()?.join(format!("{SUITE}-{}", machine.architecture)))
}

fn cache() -> Result<PathBuf, Failure> {
    let absolute = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("host-toolchain"))
        .ok_or_else(|| {
            Failure::NoDebian("neither XDG_CACHE_HOME nor HOME says where to unpack it".to_owned())
        })
}

/// Fetches and unpacks the packages into `home`, which is there whole or not at all.
fn fetch(home: &Path, machine: &Machine) -> Result<(), Failure> {
    let work = home.with_extension(std::process::id().to_string());
    let fetched = download(&work, machine).and_then(|()| unpack(&work));
    let placed = fetched.and_then(|root| match fs::rename(&root, home) {
        Err(error) if !home.is_dir() => Err(Failure::file(home)(error)),
        _ => Ok(()),
    });
    let _ = fs::remove_dir_all(&work);
    placed
}

fn download(work: &Path, machine: &Machine) -> Result<(), Failure> {
    for directory in ["archives/partial", "state/lists/partial"] {
        let directory = work.join(directory);
        fs::create_dir_all(&directory).map_err(Failure::file(&directory))?;
    }
    write(&work.join("status"), &status())?;
    write(&work.join("sources.list"), &format!("{}\n", source()?))?;
    let configuration = work.join("apt.conf");
    write(&configuration, &apt_configuration(work, machine))?;

    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.arg("--config-file").arg(&configuration);
        apt
    };
    output_within(apt().arg("update"), UPDATE_BOUND)?;
    let mut install = apt();
    install
        .args([
            "install",
            "--download-only",
            "--no-install-recommends",
            "--yes",
        ])
        .args(PACKAGES);
    output_within(&mut install, DOWNLOAD_BOUND).map(drop)
}

/// Keeps apt inside `work`: its own source, its own record of what is installed.
fn apt_configuration(work: &Path, machine: &Machine) -> String {
    let architecture = machine.architecture;
    let work = work.display();
    format!(
        r#"Dir::Etc::SourceList "{work}/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "{work}/state";
Dir::State::Status "{work}/status";
Dir::Cache "{work}";
Dir::Cache::Archives "{work}/archives";
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "1";
"#
    )
}

/// What apt takes for installed.
fn status() -> String {
    let stanza = |package| {
        format!(
            "Package: {package}\nStatus: install ok installed\nVersion: 99:1\nArchitecture: all\nProvides: libc-dev\n\n"
        )
    };
    AT_HAND.map(stanza).concat()
}

/// The line of a `sources.list` for [`SUITE`], on the mirror that apt is configured to use.
fn source() -> Result<String, Failure> {
    let mut question = Command::new("apt-get");
    question.args([
        "indextargets",
        "--format",
        "$(REPO_URI) $(SIGNED_BY)",
        "Created-By: Packages",
    ]);
    let answer = output_within(&mut question, QUESTION_BOUND)?;
    source_among(&answer).ok_or_else(|| {
        Failure::NoDebian("apt is not configured with a mirror of Debian".to_owned())
    })
}

fn source_among(targets: &str) -> Option<String> {
    targets.lines().find_map(|target| {
        let mut words = target.split_whitespace();
        let uri = words
            .next()
            .filter(|uri| uri.trim_end_matches('/').ends_with("/debian"))?;
        Some(match words.next().filter(|key| key.starts_with('/')) {
            Some(key) => format!("deb [signed-by={key}] {uri} {SUITE} main"),
            None => format!("deb {uri} {SUITE} main"),
        })
    })
}

fn unpack(work: &Path) -> Result<PathBuf, Failure> {
    let archives = work.join("archives");
    let root = work.join("root");
    for entry in fs::read_dir(&archives)
        .map_err(Failure::file(&archives))?
        .flatten()
    {
        if entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "deb")
        {
            let mut dpkg = Command::new("dpkg");
            dpkg.arg("--extract").arg(entry.path()).arg(&root);
            output_within(&mut dpkg, UNPACK_BOUND)?;
        }
    }
    Ok(root)
}

/// Writes the script that cargo calls as its compiler.
fn write_launcher(home: &Path, machine: &Machine) -> Result<PathBuf, Failure> {
    let libraries = home.join("usr/lib").join(machine.triplet);
    let script = format!(
        "#!/bin/sh\nexec {loader} --library-path {libraries} {rustc} --sysroot {sysroot} \"$@\"\n",
        loader = quoted(&libraries.join(machine.loader)),
        libraries = quoted(&libraries),
        rustc = quoted(&home.join("usr/bin/rustc")),
        sysroot = quoted(&home.join("usr")),
    );
    let launcher = home.join("rustc");
    if fs::read_to_string(&launcher).is_ok_and(|present| present == script) {
        return Ok(launcher);
    }
    write(&launcher, &script)?;
    make_executable(&launcher)?;
    Ok(launcher)
}

/// A path as one word of a shell script.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(Failure::file(path))
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(Failure::file(path))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> Result<(), Failure> {
    Err(Failure::NoDebian(format!(
        "{TARGET} comes from Debian on Linux only"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_the_machines_own_with_its_key() {
        let targets = "https://tools.example/apt/ /keys/tools.gpg\n\
                       http://mirror.example/debian/ /keys/debian.gpg\n";
        let source = source_among(targets);
        assert_eq!(
            source.unwrap(),
            "deb [signed-by=/keys/debian.gpg] http://mirror.example/debian/ trixie main"
        );
    }

    #[test]
    fn a_mirror_without_a_key_of_its_own_is_checked_against_the_machines() {
        let source = source_among("http://mirror.example/debian \n");
        assert_eq!(
            source.unwrap(),
            "deb http://mirror.example/debian trixie main"
        );
    }

    #[test]
    fn the_mirror_of_security_updates_has_no_compiler() {
        assert_eq!(
            source_among("http://mirror.example/debian-security/ /keys/debian.gpg\n"),
            None
        );
    }

    #[test]
    fn a_path_with_a_quote_stays_one_word_of_a_script() {
        assert_eq!(quoted(Path::new("/it's here")), r"'/it'\''s here'");
    }
}
