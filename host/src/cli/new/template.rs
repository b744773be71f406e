//! The projects that `host new` writes: files with NAME, COMPONENT and BUILD in the place of what differs.

use clap::ValueEnum;

/// The language of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Template {
    /// Rust, built by cargo
    Rust,
    /// Python, built by componentize-py
    Python,
}

type Files = &'static [(&'static str, &'static str)];

/// What each project has, for the hosts that it runs in.
const SHARED: Files = &[
    (".gitignore", include_str!("shared/gitignore")),
    ("spin.toml", include_str!("shared/spin.toml")),
    ("workload.yaml", include_str!("shared/workload.yaml")),
];
/// What the README of each project ends with.
const SHARED_README: &str = include_str!("shared/README.md");

const RUST: Files = &[
    ("Cargo.toml", include_str!("rust/Cargo.toml.txt")),
    (".wash/config.yaml", include_str!("rust/wash.yaml")),
    ("README.md", include_str!("rust/README.md")),
    ("src/lib.rs", include_str!("rust/src/lib.rs")),
    ("src/greeting.rs", include_str!("rust/src/greeting.rs")),
    ("src/handler.rs", include_str!("rust/src/handler.rs")),
];

const PYTHON: Files = &[
    ("README.md", include_str!("python/README.md")),
    (".wash/config.yaml", include_str!("python/wash.yaml")),
    ("requirements.txt", include_str!("python/requirements.txt")),
    ("app.py", include_str!("python/app.py")),
    ("greeting.py", include_str!("python/greeting.py")),
    ("test_greeting.py", include_str!("python/test_greeting.py")),
    (
        "wit/deps/cli/command.wit",
        include_str!("../../../../wit/deps/cli/command.wit"),
    ),
    (
        "wit/deps/cli/environment.wit",
        include_str!("../../../../wit/deps/cli/environment.wit"),
    ),
    (
        "wit/deps/cli/exit.wit",
        include_str!("../../../../wit/deps/cli/exit.wit"),
    ),
    (
        "wit/deps/cli/imports.wit",
        include_str!("../../../../wit/deps/cli/imports.wit"),
    ),
    (
        "wit/deps/cli/run.wit",
        include_str!("../../../../wit/deps/cli/run.wit"),
    ),
    (
        "wit/deps/cli/stdio.wit",
        include_str!("../../../../wit/deps/cli/stdio.wit"),
    ),
    (
        "wit/deps/cli/terminal.wit",
        include_str!("../../../../wit/deps/cli/terminal.wit"),
    ),
    (
        "wit/deps/clocks/monotonic-clock.wit",
        include_str!("../../../../wit/deps/clocks/monotonic-clock.wit"),
    ),
    (
        "wit/deps/clocks/wall-clock.wit",
        include_str!("../../../../wit/deps/clocks/wall-clock.wit"),
    ),
    (
        "wit/deps/clocks/world.wit",
        include_str!("../../../../wit/deps/clocks/world.wit"),
    ),
    (
        "wit/deps/filesystem/preopens.wit",
        include_str!("../../../../wit/deps/filesystem/preopens.wit"),
    ),
    (
        "wit/deps/filesystem/types.wit",
        include_str!("../../../../wit/deps/filesystem/types.wit"),
    ),
    (
        "wit/deps/filesystem/world.wit",
        include_str!("../../../../wit/deps/filesystem/world.wit"),
    ),
    (
        "wit/deps/http/handler.wit",
        include_str!("../../../../wit/deps/http/handler.wit"),
    ),
    (
        "wit/deps/http/proxy.wit",
        include_str!("../../../../wit/deps/http/proxy.wit"),
    ),
    (
        "wit/deps/http/types.wit",
        include_str!("../../../../wit/deps/http/types.wit"),
    ),
    (
        "wit/deps/io/error.wit",
        include_str!("../../../../wit/deps/io/error.wit"),
    ),
    (
        "wit/deps/io/poll.wit",
        include_str!("../../../../wit/deps/io/poll.wit"),
    ),
    (
        "wit/deps/io/streams.wit",
        include_str!("../../../../wit/deps/io/streams.wit"),
    ),
    (
        "wit/deps/io/world.wit",
        include_str!("../../../../wit/deps/io/world.wit"),
    ),
    (
        "wit/deps/random/insecure-seed.wit",
        include_str!("../../../../wit/deps/random/insecure-seed.wit"),
    ),
    (
        "wit/deps/random/insecure.wit",
        include_str!("../../../../wit/deps/random/insecure.wit"),
    ),
    (
        "wit/deps/random/random.wit",
        include_str!("../../../../wit/deps/random/random.wit"),
    ),
    (
        "wit/deps/random/world.wit",
        include_str!("../../../../wit/deps/random/world.wit"),
    ),
    (
        "wit/deps/sockets/instance-network.wit",
        include_str!("../../../../wit/deps/sockets/instance-network.wit"),
    ),
    (
        "wit/deps/sockets/ip-name-lookup.wit",
        include_str!("../../../../wit/deps/sockets/ip-name-lookup.wit"),
    ),
    (
        "wit/deps/sockets/network.wit",
        include_str!("../../../../wit/deps/sockets/network.wit"),
    ),
    (
        "wit/deps/sockets/tcp-create-socket.wit",
        include_str!("../../../../wit/deps/sockets/tcp-create-socket.wit"),
    ),
    (
        "wit/deps/sockets/tcp.wit",
        include_str!("../../../../wit/deps/sockets/tcp.wit"),
    ),
    (
        "wit/deps/sockets/udp-create-socket.wit",
        include_str!("../../../../wit/deps/sockets/udp-create-socket.wit"),
    ),
    (
        "wit/deps/sockets/udp.wit",
        include_str!("../../../../wit/deps/sockets/udp.wit"),
    ),
    (
        "wit/deps/sockets/world.wit",
        include_str!("../../../../wit/deps/sockets/world.wit"),
    ),
    ("wit/world.wit", include_str!("../../../../wit/world.wit")),
];

impl Template {
    /// The files of the project `name`: where they lie in it, and what is in them.
    pub(super) fn files(self, name: &str) -> Vec<(&'static str, String)> {
        let own = match self {
            Self::Rust => RUST,
            Self::Python => PYTHON,
        };
        let fill = |text: &str| {
            text.replace("COMPONENT", &self.component(name))
                .replace("BUILD", &self.build(name))
                .replace("NAME", name)
        };
        let file = |(path, text): &(&'static str, &str)| match *path {
            "README.md" => (*path, fill(&format!("{text}{SHARED_README}"))),
            // What WASI says is not ours to fill in.
            path if path.starts_with("wit/") => (path, (*text).to_owned()),
            path => (path, fill(text)),
        };
        own.iter().chain(SHARED).map(file).collect()
    }

    /// Where the component of the project `name` lies once it is built.
    pub(super) fn component(self, name: &str) -> String {
        match self {
            Self::Rust => format!(
                "target/wasm32-wasip2/release/{}.wasm",
                name.replace('-', "_")
            ),
            Self::Python => format!("{name}.wasm"),
        }
    }

    /// The command that has to be run once before it can be built.
    pub(super) fn prepare(self) -> &'static str {
        match self {
            Self::Rust => "rustup target add wasm32-wasip2",
            Self::Python => "python3 -m venv .venv && .venv/bin/pip install -r requirements.txt",
        }
    }

    /// The command that builds it after that, typed by a person or run by `spin build` and `wash dev`.
    pub(super) fn build(self, name: &str) -> String {
        match self {
            Self::Rust => "cargo build --release --target wasm32-wasip2".into(),
            Self::Python => {
                // Its own tools, those of an environment that is active, or those of the system.
                format!(
                    "PATH=.venv/bin:$PATH componentize-py -d wit -w function componentize app -o {name}.wasm"
                )
            }
        }
    }
}
