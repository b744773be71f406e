//! Many functions on one host: how long it takes to be ready, and what memory it is idle with.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::server::{free_addr, scratch};
use super::settings::Settings;
use super::tokens::median;
use super::whole::{get, text};

/// The first start compiles all of them.
const PATIENCE: Duration = Duration::from_secs(1800);
const LOOK: Duration = Duration::from_millis(2);
/// What a host has let go of after its start is not in use any more.
const IDLE: Duration = Duration::from_secs(2);
const MEBIBYTE: f64 = (1 << 20) as f64;

/// Measures and prints.
pub(crate) fn run(settings: &Settings) -> Result<(), String> {
    let folder = scratch().join("functions");
    let hello = fs::read(&settings.component).map_err(text)?;
    let count = settings.functions;
    println!(
        "{:32} {:>13} {:>9} {:>13} {:>9}",
        "", "first start s", "ready s", "resident MiB", "own MiB"
    );
    let none = Site::make(&folder.join("none"), &hello, 0, 0)?.measure(settings)?;
    none.print("no function");
    let one = Site::make(&folder.join("one"), &hello, count, 1)?.measure(settings)?;
    one.print(&format!("{count}, all of one component"));
    let each = Site::make(&folder.join("each"), &hello, count, count)?.measure(settings)?;
    each.print(&format!("{count}, each of its own"));
    let of = |part: fn(&Idle) -> f64| (part(&each) - part(&none)) / count as f64;
    println!(
        "\neach function of a component of its own: {:.3} MiB resident, {:.3} MiB of that no page of a file",
        of(|idle| idle.resident),
        of(|idle| idle.own)
    );
    println!(
        "ready, compiled before {:>8.2} s  (wanted <= 2)",
        each.ready
    );
    // What is left is in a directory for temporary files.
    let _ = fs::remove_dir_all(&folder);
    Ok(())
}

/// Components, the file that declares functions of them, and a state directory.
struct Site {
    folder: PathBuf,
}

/// What a host is like once it is ready. Memory is in mebibytes.
struct Idle {
    first: f64,
    ready: f64,
    resident: f64,
    /// Memory that is no page of a file, so that the system cannot drop it when it needs room.
    own: f64,
}

impl Site {
    /// So many functions of so many components, which differ in a section that does nothing.
    fn make(
        folder: &Path,
        hello: &[u8],
        functions: usize,
        components: usize,
    ) -> Result<Self, String> {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).map_err(text)?;
        for number in 0..components {
            let wasm = [hello, &custom_section(number)].concat();
            fs::write(folder.join(format!("{number}.wasm")), wasm).map_err(text)?;
        }
        let mut file = String::new();
        for number in 0..functions {
            // A `String` takes every write.
            let _ = writeln!(
                file,
                "[functions.f{number}]\nsource = \"{}.wasm\"\n",
                number % components
            );
        }
        fs::write(folder.join("host.toml"), file).map_err(text)?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Starts a host that compiles all, and then as often as there are rounds one that finds all compiled.
    fn measure(&self, settings: &Settings) -> Result<Idle, String> {
        let (_, first) = self.start(settings)?;
        let (mut ready, mut resident, mut own) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..settings.rounds {
            let (host, time) = self.start(settings)?;
            thread::sleep(IDLE);
            ready.push(time);
            resident.push(host.memory(&["VmRSS:"])?);
            own.push(host.memory(&["RssAnon:", "RssShmem:"])?);
        }
        Ok(Idle {
            first,
            ready: median(ready),
            resident: median(resident),
            own: median(own),
        })
    }

    /// A host that serves the file, and after how many seconds it was ready.
    fn start(&self, settings: &Settings) -> Result<(Started, f64), String> {
        let (addr, admin) = (free_addr().map_err(text)?, free_addr().map_err(text)?);
        let stderr = self.folder.join("stderr");
        let begun = Instant::now();
        let host = Command::new(&settings.host)
            .args(["serve", "--config"])
            .arg(self.folder.join("host.toml"))
            .args(["--addr", &addr.to_string()])
            .args(["--admin-addr", &admin.to_string()])
            .arg("--state-dir")
            .arg(self.folder.join("state"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&stderr).map_err(text)?)
            .spawn();
        let mut host = Started(host.map_err(text)?);
        while !is_ready(admin) {
            let has_ended = host.0.try_wait().map_err(text)?.is_some();
            if has_ended || begun.elapsed() > PATIENCE {
                let told = fs::read_to_string(stderr).unwrap_or_default();
                return Err(format!("the host did not get ready:\n{told}"));
            }
            thread::sleep(LOOK);
        }
        Ok((host, begun.elapsed().as_secs_f64()))
    }
}

impl Idle {
    fn print(&self, what: &str) {
        let Self {
            first,
            ready,
            resident,
            own,
        } = self;
        println!("{what:32} {first:>13.1} {ready:>9.2} {resident:>13.1} {own:>9.1}");
    }
}

/// A running host, ended when dropped.
struct Started(Child);

impl Started {
    /// The sum of these fields of proc_pid_status(5).
    fn memory(&self, fields: &[&str]) -> Result<f64, String> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id())).map_err(text)?;
        let kibibytes = |line: &str| {
            let value = fields.iter().find_map(|field| line.strip_prefix(field))?;
            value.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok()
        };
        Ok(status.lines().filter_map(kibibytes).sum::<f64>() * 1024.0 / MEBIBYTE)
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself, which has been noticed elsewhere.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn is_ready(admin: SocketAddr) -> bool {
    get(admin, "/readyz").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

/// A section that says nothing (binary format of components: id 0, size, name), the same for no two numbers.
fn custom_section(number: usize) -> Vec<u8> {
    let name = format!("benchmark {number:08}");
    let length = u8::try_from(name.len()).unwrap_or_default();
    let mut section = vec![0, length + 1, length];
    section.extend(name.as_bytes());
    section
}
