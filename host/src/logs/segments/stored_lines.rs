//! The lines in a directory of segments, for tests.

use std::io::Read;
use std::path::Path;

use super::{Listing, Source};

/// The text payloads of all lines, oldest first.
pub(super) fn texts(directory: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut numbers: Vec<_> = Listing::read(directory).unwrap().newest_first().collect();
    numbers.reverse();
    for number in numbers {
        match Source::open(directory, number) {
            Ok(Some(Source::Plain(mut file))) => {
                let _ = file.read_to_end(&mut lines);
            }
            Ok(Some(Source::Sealed(mut sealed))) => {
                let mut block = Vec::new();
                for number in 0..sealed.index().blocks.len() {
                    sealed.read(number, &mut block).unwrap();
                    lines.extend_from_slice(&block);
                }
            }
            Ok(None) | Err(_) => {}
        }
    }
    let text = |line: &[u8]| {
        let line: serde_json::Value = serde_json::from_slice(line).ok()?;
        line["textPayload"].as_str().map(str::to_owned)
    };
    lines
        .split(|byte| *byte == b'\n')
        .filter_map(text)
        .collect()
}
