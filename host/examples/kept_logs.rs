//! Measures the kept log: how fast it is written, and how fast entries are found in it again.
//!
//! `kept_logs DIRECTORY MILLIONS` writes that many million entries, such as 50 or 0.1, to a new directory and queries them
//! on one thread; 50 make 14.5 GiB of text. `kept_logs DIRECTORY` queries what is there.

use std::error::Error;
use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use host::execution_id::ExecutionId;
use host::logs::{
    Entry, FinishStatus, JsonLines, Order, Query, Retention, SegmentWriter, Severity, read,
};
use host_sandbox::{Line, Stream};
use rand::{RngExt, SeedableRng};
use rustix::fs::{Advice, fadvise};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [directory] => queries(Path::new(directory)),
        [directory, millions] => {
            let entries = millions.parse::<f64>()? * 1e6;
            write(Path::new(directory), entries as u64)?;
            queries(Path::new(directory))
        }
        _ => Err("expected DIRECTORY [MILLIONS]".into()),
    }
}

/// Makes up executions: 40 functions, of which one is rarely called, three to five entries each.
struct Executions {
    functions: Vec<Arc<str>>,
    random: rand::rngs::SmallRng,
    time: SystemTime,
}

impl Executions {
    fn new() -> Self {
        Self {
            functions: (0..40).map(|n| format!("function-{n}").into()).collect(),
            random: rand::rngs::SmallRng::seed_from_u64(1),
            time: UNIX_EPOCH + Duration::from_secs(1_795_442_400),
        }
    }

    fn next(&mut self, out: &mut Vec<Entry>) {
        let id = ExecutionId::random();
        let place = match self.random.random_range(0..100_000) {
            0 => 39,
            number => number as usize % 39,
        };
        let function = Arc::clone(&self.functions[place]);
        let first = out.len();
        out.push(Entry::started(Arc::clone(&function), id));
        for _ in 0..self.random.random_range(1..=3) {
            let line = self.line();
            out.push(Entry::printed(Arc::clone(&function), id, line));
        }
        let took = Duration::from_micros(self.random.random_range(500..900_000));
        let code = match self.random.random_range(0..1_000) {
            0 => 500,
            1..20 => 404,
            _ => 200,
        };
        out.push(Entry::finished(
            function,
            id,
            took,
            FinishStatus::Code(code),
        ));
        for entry in &mut out[first..] {
            self.time += Duration::from_nanos(self.random.random_range(1_000..200_000));
            entry.time = self.time;
        }
    }

    fn line(&mut self) -> Line {
        let random = &mut self.random;
        let (order, user): (u32, u32) = (random.random(), random.random_range(0..100_000));
        let text = match random.random_range(0..6) {
            0 => format!("order {order} of user {user} accepted"),
            1 => format!(
                "GET /api/v1/users/{user}/orders?after={order} 200 in {} ms",
                order % 900
            ),
            2 => format!("cache miss for key user:{user}:cart, loading from the database"),
            3 => format!(
                "published event {order:08x} to topic orders with {} subscribers",
                user % 7
            ),
            4 => format!(
                "retrying payment {order} after {} ms: connection reset by peer",
                user % 5_000
            ),
            _ => format!(
                "rendered template invoice.html for user {user} in {}.{} ms",
                order % 90,
                user % 10
            ),
        };
        let stream = match random.random_range(0..2_000) {
            0 => Stream::Stderr,
            _ => Stream::Stdout,
        };
        Line {
            time: self.time,
            stream,
            text,
            context: String::new(),
            remedy: None,
        }
    }
}

fn write(directory: &Path, count: u64) -> Outcome<()> {
    if fs::exists(directory)? {
        return Err("the directory is there already".into());
    }
    let mut writer = SegmentWriter::open(directory, Retention::default())?;
    let (mut executions, mut lines) = (Executions::new(), JsonLines::new());
    let (mut entries, mut out) = (Vec::new(), Vec::new());
    let (mut written, mut bytes) = (0, 0);
    let mut times = [Duration::ZERO; 3];
    let mut longest = Duration::ZERO;
    while written < count {
        entries.clear();
        out.clear();
        while entries.len() < 500 {
            executions.next(&mut entries);
        }
        let start = Instant::now();
        for entry in &entries {
            lines.line(entry, &mut out);
        }
        let rendered = Instant::now();
        writer.append(&out)?;
        let appended = Instant::now();
        writer.maintain(SystemTime::now())?;
        let stepped = appended.elapsed();
        times[0] += rendered - start;
        times[1] += appended - rendered;
        times[2] += stepped;
        longest = longest.max(stepped);
        written += entries.len() as u64;
        bytes += out.len() as u64;
    }
    writer.sync()?;
    let kept = kept(directory)?;
    println!(
        "{written} entries, {:.2} GB of text, {:.2} GB on disk",
        giga(bytes),
        giga(kept)
    );
    for (what, time) in ["render", "append", "compress"].into_iter().zip(times) {
        let each = time.as_nanos() as u64 / written;
        println!(
            "{what}: {each} ns an entry, {:.0} MB/s",
            bytes as f64 / 1e6 / time.as_secs_f64()
        );
    }
    println!("longest step: {longest:?}");
    fs::write(directory.join("text-bytes"), bytes.to_string())?;
    Ok(())
}

fn kept(directory: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

fn giga(bytes: u64) -> f64 {
    bytes as f64 / 1e9
}

/// Takes the log out of the page cache.
fn forget(directory: &Path) -> Outcome<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_file() {
            let file = File::open(path)?;
            file.sync_data()?;
            fadvise(&file, 0, None, Advice::DontNeed)?;
        }
    }
    Ok(())
}

fn queries(directory: &Path) -> Outcome<()> {
    let bytes: u64 = fs::read_to_string(directory.join("text-bytes"))?.parse()?;
    let last = Query::default();
    let ids = ids(directory)?;
    let execution = |id: &str| Query {
        execution_id: Some(id.to_owned()),
        ..Query::default()
    };
    let words = |contains: &str| Query {
        contains: Some(contains.to_owned()),
        ..Query::default()
    };
    let regex = |regex: &str| Query {
        regex: Some(regex.to_owned()),
        ..Query::default()
    };
    let rows = [
        ("last 20", last.clone(), "<= 100 ms of 10 GiB"),
        (
            "last 20 errors",
            Query {
                min_severity: Some(Severity::Error),
                ..last.clone()
            },
            "",
        ),
        (
            "last 20 of a rare function",
            Query {
                function: Some("function-39".into()),
                ..last.clone()
            },
            "",
        ),
        (
            "last 20 with status 500",
            Query {
                status: Some(500..=500),
                ..last.clone()
            },
            "",
        ),
        (
            "last 1000 newest first",
            Query {
                limit: 1_000,
                order: Order::NewestFirst,
                ..last.clone()
            },
            "",
        ),
        (
            "an execution, the oldest",
            execution(&ids[0]),
            "<= 1 s among 50 million entries",
        ),
        (
            "an execution, the newest",
            execution(&ids[1]),
            "<= 1 s among 50 million entries",
        ),
        (
            "an execution that is not there",
            execution("zzzzzzzzzzzz"),
            "",
        ),
        (
            "full scan for words",
            words("the moon is made of cheese"),
            ">= 1 GB/s per core",
        ),
        (
            "full scan for a regex with words",
            regex("^order [0-9]+ refused$"),
            ">= 1 GB/s per core",
        ),
    ];
    for (name, query, wanted) in rows {
        forget(directory)?;
        let (cold, found) = timed(directory, &query)?;
        let (warm, _) = timed(directory, &query)?;
        print!("{name}: {found} found, cold {cold:?}, warm {warm:?}");
        if name.starts_with("full scan") {
            print!(", {:.2} GB/s of text", giga(bytes) / warm.as_secs_f64());
        }
        match wanted {
            "" => println!(),
            wanted => println!("  (wanted {wanted})"),
        }
    }
    Ok(())
}

fn timed(directory: &Path, query: &Query) -> Outcome<(Duration, usize)> {
    let start = Instant::now();
    let found = read(directory, query)?;
    Ok((start.elapsed(), found.entries.len()))
}

/// Of the oldest entry and of the newest one.
fn ids(directory: &Path) -> Outcome<[String; 2]> {
    let newest = read(
        directory,
        &Query {
            limit: 1,
            ..Query::default()
        },
    )?;
    // The first second.
    let end = Some(UNIX_EPOCH + Duration::from_secs(1_795_442_400) + Duration::from_micros(1_000));
    let oldest = read(
        directory,
        &Query {
            end,
            ..Query::default()
        },
    )?;
    let id = |entry: Option<&host::logs::StoredEntry>| {
        let id = entry.and_then(host::logs::StoredEntry::execution_id);
        id.map(str::to_owned).ok_or("the log is empty")
    };
    Ok([id(oldest.entries.first())?, id(newest.entries.last())?])
}
