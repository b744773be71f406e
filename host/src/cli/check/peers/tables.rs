//! What each of the other hosts links beside WASI 0.2.

/// Another host.
pub(super) struct Peer {
    pub(super) name: &'static str,
    /// The exports that it calls to have a request answered.
    pub(super) handlers: &'static [Links],
    /// Candidates of WASI that it has kept, from before there were releases.
    pub(super) candidates: &'static [&'static str],
    /// What it links beyond WASI, or only if it is told to.
    pub(super) links: &'static [Links],
}

/// Interfaces of one package in one version.
pub(super) struct Links {
    pub(super) package: &'static str,
    /// None means all of the package.
    pub(super) interfaces: &'static [&'static str],
    /// A release stands for all that are compatible with it; nothing, for a package from before packages had versions.
    pub(super) version: &'static str,
    pub(super) needs: Needs,
}

/// What has to be said for an interface to be linked.
#[derive(Clone, Copy)]
pub(super) enum Needs {
    Nothing,
    Flag(&'static str),
    /// An entry of a workload's `hostInterfaces`.
    HostInterface,
}

impl Links {
    const fn new(
        package: &'static str,
        interfaces: &'static [&'static str],
        version: &'static str,
    ) -> Self {
        Self {
            package,
            interfaces,
            version,
            needs: Needs::Nothing,
        }
    }

    const fn all(package: &'static str, version: &'static str) -> Self {
        Self::new(package, &[], version)
    }

    const fn with(self, flag: &'static str) -> Self {
        Self {
            needs: Needs::Flag(flag),
            ..self
        }
    }

    const fn declared(self) -> Self {
        Self {
            needs: Needs::HostInterface,
            ..self
        }
    }
}

/// The packages of WASI.
pub(super) const WASI: &[&str] = &[
    "wasi:cli",
    "wasi:clocks",
    "wasi:filesystem",
    "wasi:http",
    "wasi:io",
    "wasi:random",
    "wasi:sockets",
];

const HANDLERS: &[Links] = &[
    Links::new("wasi:http", &["incoming-handler"], "0.2.0"),
    Links::new("wasi:http", &["handler"], "0.3.0"),
];

pub(super) const PEERS: &[Peer] = &[
    Peer {
        name: "wasmtime serve",
        handlers: HANDLERS,
        candidates: &[],
        links: WASMTIME,
    },
    Peer {
        name: "Spin",
        handlers: SPIN_HANDLERS,
        candidates: &[
            "0.2.0-rc-2023-10-18",
            "0.2.0-rc-2023-11-10",
            "0.3.0-rc-2026-03-15",
        ],
        links: SPIN,
    },
    Peer {
        name: "wasmCloud",
        handlers: HANDLERS,
        candidates: &[],
        links: WASMCLOUD,
    },
];

const WASMTIME: &[Links] = &[
    // What is outside of the world wasi:http/proxy. A std guest has some of it.
    Links::new(
        "wasi:cli",
        &[
            "environment",
            "exit",
            "terminal-input",
            "terminal-output",
            "terminal-stderr",
            "terminal-stdin",
            "terminal-stdout",
        ],
        "0.2.0",
    )
    .with("-S cli"),
    Links::all("wasi:filesystem", "0.2.0").with("-S cli"),
    Links::new("wasi:random", &["insecure", "insecure-seed"], "0.2.0").with("-S cli"),
    Links::all("wasi:sockets", "0.2.0").with("-S cli"),
    Links::new("wasi:filesystem", &["preopens", "types"], "0.3.0").with("-S cli"),
    Links::new("wasi:sockets", &["ip-name-lookup", "types"], "0.3.0").with("-S cli"),
    Links::new("wasi:config", &["store"], "0.2.0-rc.1").with("-S config"),
    Links::new(
        "wasi:keyvalue",
        &["atomics", "batch", "store"],
        "0.2.0-draft",
    )
    .with("-S keyvalue"),
    Links::new(
        "wasi:nn",
        &["errors", "graph", "inference", "tensor"],
        "0.2.0-rc-2024-10-28",
    )
    .with("-S nn"),
];

const SPIN_HANDLERS: &[Links] = &[
    Links::new("wasi:http", &["incoming-handler"], "0.2.0"),
    Links::new("wasi:http", &["handler"], "0.3.0"),
    Links::new("wasi:http", &["handler"], "0.3.0-rc-2026-03-15"),
    Links::new("wasi:http", &["incoming-handler"], "0.2.0-rc-2023-11-10"),
    Links::new("wasi:http", &["incoming-handler"], "0.2.0-rc-2023-10-18"),
    Links::new("fermyon:spin", &["inbound-http"], ""),
];

const SPIN: &[Links] = &[
    Links::new("wasi:config", &["store"], "0.2.0-draft-2024-09-27"),
    Links::new(
        "wasi:keyvalue",
        &["atomics", "batch", "store"],
        "0.2.0-draft2",
    ),
    Links::all("wasi:otel", "0.2.0-rc.2").with("--experimental-wasi-otel"),
    Links::new(
        "fermyon:spin",
        &[
            "key-value",
            "llm",
            "mqtt",
            "mysql",
            "postgres",
            "rdbms-types",
            "redis",
            "sqlite",
            "variables",
        ],
        "2.0.0",
    ),
    Links::all("fermyon:spin", ""),
    Links::new("spin:key-value", &["key-value"], "3.0.0"),
    Links::new("spin:mqtt", &["mqtt"], "3.0.0"),
    Links::new("spin:postgres", &["postgres"], "3.0.0"),
    Links::new("spin:postgres", &["postgres"], "4.2.0"),
    Links::new("spin:redis", &["redis"], "3.0.0"),
    Links::new("spin:sqlite", &["sqlite"], "3.1.0"),
    Links::new("spin:variables", &["variables"], "3.0.0"),
];
const WASMCLOUD: &[Links] = &[
    Links::new("wasi:config", &["store"], "0.2.0-rc.1").declared(),
    Links::new(
        "wasi:keyvalue",
        &["atomics", "batch", "store"],
        "0.2.0-draft",
    )
    .declared(),
    Links::new("wasi:logging", &["logging"], "0.1.0-draft").declared(),
    Links::new(
        "wasi:blobstore",
        &["blobstore", "container", "types"],
        "0.2.0-draft",
    )
    .declared(),
    Links::new(
        "wasi:otel",
        &["logs", "metrics", "tracing", "types"],
        "0.2.0-rc.2",
    )
    .declared(),
    Links::new(
        "wasmcloud:blobstore",
        &["blobstore", "container", "types"],
        "0.1.0",
    )
    .declared(),
    Links::new(
        "wasmcloud:keyvalue",
        &["atomics", "batch", "cas", "store", "types"],
        "0.2.0",
    )
    .declared(),
    Links::new("wasmcloud:messaging", &["consumer", "types"], "0.2.0").declared(),
    Links::new("wasmcloud:messaging", &["consumer", "types"], "0.3.0").declared(),
    Links::new(
        "wasmcloud:nats",
        &["core", "jetstream", "kv", "types"],
        "0.1.0",
    )
    .declared(),
    Links::new(
        "wasmcloud:postgres",
        &["prepared", "query", "types"],
        "0.1.1-draft",
    )
    .declared(),
    Links::new(
        "wasmcloud:postgres",
        &["prepared", "query", "types"],
        "0.2.0",
    )
    .declared(),
    Links::new("wasmcloud:secrets", &["reveal", "secret", "store"], "2.1.0").declared(),
];
