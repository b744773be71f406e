//! A host with everything on: private functions, a kept log, a hundred jobs that fire each minute, metrics scraped.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::server::{free_addr, scratch};
use super::settings::Settings;

/// The function that the file declares, and one that is deployed.
pub(crate) const DECLARED: &str = "declared";
pub(crate) const DEPLOYED: &str = "deployed";
const ACCOUNT: &str = "caller@host.internal";
const JOBS: usize = 100;
/// How often metrics are scraped.
const SCRAPE: Duration = Duration::from_secs(1);

/// The host, ended when dropped.
pub(crate) struct Whole {
    process: Child,
    host: PathBuf,
    hello: PathBuf,
    state: PathBuf,
    addr: SocketAddr,
    admin: SocketAddr,
    scraper: Option<JoinHandle<()>>,
    is_over: Arc<AtomicBool>,
}

impl Whole {
    /// Starts it. Its log is kept on disk; what it prints of it goes to `stdout`.
    pub(crate) fn start(settings: &Settings, stdout: Stdio) -> Result<Self, String> {
        let folder = scratch().join("whole");
        let state = folder.join("state");
        fs::create_dir_all(&folder).map_err(text)?;
        let (addr, admin) = (free_addr().map_err(text)?, free_addr().map_err(text)?);
        let stderr = File::create(folder.join("stderr")).map_err(text)?;
        let mut command = Command::new(&settings.host);
        command
            .args(["serve", "--config"])
            .arg(folder.join("host.toml"))
            .args(["--addr", &addr.to_string()])
            .args(["--admin-addr", &admin.to_string()])
            .arg("--state-dir")
            .arg(&state)
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(stderr);
        let configuration = configuration(settings, addr, 0);
        fs::write(folder.join("host.toml"), configuration).map_err(text)?;
        let run = |arguments: &[&str]| run(&settings.host, &state, arguments);
        run(&["iam", "service-accounts", "create", "caller"])?;
        let mut whole = Self {
            process: command.spawn().map_err(text)?,
            host: settings.host.clone(),
            hello: settings.component.clone(),
            state,
            addr,
            admin,
            scraper: None,
            is_over: Arc::default(),
        };
        whole.wait_until_ready()?;
        whole.deploy(0)?;
        let member = format!("serviceAccount:{ACCOUNT}");
        let role = "roles/cloudfunctions.invoker";
        let verb = "add-iam-policy-binding";
        whole.run(&[
            "functions",
            verb,
            DEPLOYED,
            "--member",
            &member,
            "--role",
            role,
        ])?;
        let is_over = Arc::clone(&whole.is_over);
        whole.scraper = Some(thread::spawn(move || {
            while !is_over.load(Ordering::Relaxed) {
                // What it says is looked at elsewhere.
                let _ = get(admin, "/metrics");
                thread::sleep(SCRAPE);
            }
        }));
        Ok(whole)
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// A command on the same state, and what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<String, String> {
        run(&self.host, &self.state, arguments)
    }

    /// A token for `function`.
    pub(crate) fn token(&self, function: &str) -> Result<String, String> {
        let audience = format!("--audiences=http://{}/{function}", self.addr);
        let account = format!("--impersonate-service-account={ACCOUNT}");
        let token = self.run(&["auth", "print-identity-token", &account, &audience])?;
        Ok(token.trim().to_owned())
    }

    /// Another revision of the deployed function.
    pub(crate) fn deploy(&self, round: usize) -> Result<(), String> {
        let source = self.hello.to_string_lossy();
        let variable = format!("--set-env-vars=ROUND={round}");
        self.run(&[
            "functions",
            "deploy",
            DEPLOYED,
            "--source",
            &source,
            &variable,
        ])
        .map(drop)
    }

    /// Another configuration, which the host is told to read.
    pub(crate) fn reload(&self, settings: &Settings, round: usize) -> Result<(), String> {
        let configuration = configuration(settings, self.addr, round);
        fs::write(scratch().join("whole/host.toml"), configuration).map_err(text)?;
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-HUP", &pid]).status();
        match sent.map_err(text)?.success() {
            true => Ok(()),
            false => Err("the host is gone".into()),
        }
    }

    /// What the host has counted as this series.
    pub(crate) fn metric(&self, series: &str) -> Result<f64, String> {
        let metrics = get(self.admin, "/metrics").map_err(text)?;
        let value = metrics.lines().find_map(|line| line.strip_prefix(series));
        value
            .and_then(|value| value.trim().parse().ok())
            .ok_or_else(|| format!("there is no {series} in the metrics"))
    }

    fn wait_until_ready(&self) -> Result<(), String> {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(30) {
            if get(self.admin, "/readyz").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
        let told = fs::read_to_string(scratch().join("whole/stderr")).unwrap_or_default();
        Err(format!("the host did not get ready:\n{told}"))
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(scraper) = self.scraper.take() {
            let _ = scraper.join();
        }
        // It may have ended by itself, which has been noticed elsewhere.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn configuration(settings: &Settings, addr: SocketAddr, round: usize) -> String {
    let hello = settings.component.display();
    let mut file = format!(
        "[functions.{DECLARED}]\nsource = \"{hello}\"\ninvokers = [\"serviceAccount:{ACCOUNT}\"]\n\
         env-vars = {{ ROUND = \"{round}\" }}\n"
    );
    for job in 0..JOBS {
        // A `String` takes every write.
        let _ = write!(
            file,
            "\n[jobs.job-{job}]\nschedule = \"* * * * *\"\nuri = \"http://{addr}/{DECLARED}\"\n\
             oidc-service-account-email = \"{ACCOUNT}\"\nmessage-body = '{{\"name\": \"job\"}}'\n"
        );
    }
    file
}

pub(crate) fn run(host: &PathBuf, state: &PathBuf, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(host)
        .args(arguments)
        .arg("--state-dir")
        .arg(state)
        .output()
        .map_err(text)?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(format!(
            "host {} failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

pub(crate) fn get(addr: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

pub(crate) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
