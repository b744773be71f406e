//! What a guest prints, split into lines within a budget.

use std::time::SystemTime;

use super::line::{LEAST_LINE, LINE_LIMIT, Level, Line, Remedy, Stream};

/// Splits both streams of one execution into lines.
#[derive(Debug)]
pub(crate) struct Output {
    stdout: Partial,
    stderr: Partial,
    lines: Vec<Line>,
    left: usize,
    dropped: u64,
}

/// The line that a stream has begun and not ended.
#[derive(Debug, Default)]
struct Partial {
    text: Vec<u8>,
    cut: usize,
}

impl Output {
    /// Keeps at most `budget` bytes. A short line counts for [`LEAST_LINE`].
    pub(crate) fn new(budget: usize) -> Self {
        Self {
            stdout: Partial::default(),
            stderr: Partial::default(),
            lines: Vec::new(),
            left: budget,
            dropped: 0,
        }
    }

    /// Takes in what was printed to `stream`; what is over the budget is counted and dropped.
    pub(crate) fn write(&mut self, stream: Stream, bytes: &[u8]) {
        let partial = match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr | Stream::Logging(_) | Stream::Host => &mut self.stderr,
        };
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = &rest[..rest.len().min(self.left)];
            let end = room.iter().position(|&byte| byte == b'\n');
            let taken = end.map_or(room.len(), |end| end + 1);
            if taken == 0 {
                self.dropped += rest.len() as u64;
                return;
            }
            self.left -= taken;
            partial.extend(&room[..end.unwrap_or(taken)]);
            if end.is_some() {
                let lacking = LEAST_LINE.saturating_sub(partial.length() + 1);
                self.left = self.left.saturating_sub(lacking);
                self.lines.push(partial.end(stream));
            }
            rest = &rest[taken..];
        }
    }

    /// Adds a message of `wasi:logging`, within the budget as a printed line is, whatever line feeds are in it.
    pub(crate) fn log(&mut self, level: Level, context: &str, message: &str) {
        let room = self.left.saturating_sub(context.len());
        if room == 0 {
            self.dropped += (context.len() + message.len() + 1) as u64;
            return;
        }
        let taken = message.floor_char_boundary(room);
        self.dropped += (message.len() - taken) as u64;
        // One for the line feed that a printed line has.
        let cost = (context.len() + taken + 1).max(LEAST_LINE);
        self.left = self.left.saturating_sub(cost);
        let mut line = Line::of(Stream::Logging(level), &message[..taken]);
        line.context = Line::of(line.stream, context).text;
        self.lines.push(line);
    }

    /// Adds a line of the host's own, and what would have prevented it.
    pub(crate) fn note(&mut self, text: String, remedy: Option<Remedy>) {
        self.lines.push(Line {
            time: SystemTime::now(),
            stream: Stream::Host,
            text,
            context: String::new(),
            remedy,
        });
    }

    /// The lines that have ended since the last call, oldest first.
    pub(crate) fn take_lines(&mut self) -> Vec<Line> {
        std::mem::take(&mut self.lines)
    }

    /// Ends the lines still open, and says how much was dropped.
    pub(crate) fn close(&mut self) {
        for (partial, stream) in [
            (&mut self.stdout, Stream::Stdout),
            (&mut self.stderr, Stream::Stderr),
        ] {
            if partial.length() > 0 {
                self.lines.push(partial.end(stream));
            }
        }
        if self.dropped > 0 {
            let text = format!(
                "{} bytes of log output were dropped: over the limit of an execution",
                self.dropped
            );
            self.note(text, Some(Remedy::LogOutput));
        }
    }
}

impl Partial {
    /// In bytes, with what was cut.
    fn length(&self) -> usize {
        self.text.len() + self.cut
    }

    fn extend(&mut self, bytes: &[u8]) {
        let taken = bytes.len().min(LINE_LIMIT - self.text.len());
        self.text.extend_from_slice(&bytes[..taken]);
        self.cut += bytes.len() - taken;
    }

    fn end(&mut self, stream: Stream) -> Line {
        let Self { mut text, mut cut } = std::mem::take(self);
        if cut == 0 && text.last() == Some(&b'\r') {
            text.pop();
        }
        if cut > 0 {
            cut += cut_inside_character(&mut text);
        }
        let mut text = match String::from_utf8(text) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        if cut > 0 {
            text.push_str(&format!(" … [{cut} bytes cut]"));
        }
        Line {
            time: SystemTime::now(),
            stream,
            text,
            context: String::new(),
            remedy: None,
        }
    }
}

impl Line {
    /// All of `text` as one line, cut as a printed one is.
    fn of(stream: Stream, text: &str) -> Self {
        let mut partial = Partial::default();
        partial.extend(text.as_bytes());
        partial.end(stream)
    }
}

/// Takes off a character that the cut went through, so that it does not show as a damaged one.
fn cut_inside_character(text: &mut Vec<u8>) -> usize {
    let Some(last) = text.utf8_chunks().last() else {
        return 0;
    };
    let broken = last.invalid().len();
    let could_go_on = broken > 0 && broken < 4 && last.invalid()[0] >= 0xc2;
    if could_go_on {
        text.truncate(text.len() - broken);
        broken
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(output: &mut Output) -> Vec<String> {
        output.take_lines().into_iter().map(|l| l.text).collect()
    }

    #[test]
    fn lines_are_split_at_line_feeds_and_carriage_returns_before_them_go() {
        let mut output = Output::new(1000);
        output.write(Stream::Stdout, b"one\r\ntw");
        output.write(Stream::Stdout, b"o\n\nthree");
        assert_eq!(texts(&mut output), ["one", "two", ""]);
        output.close();
        assert_eq!(texts(&mut output), ["three"]);
    }

    #[test]
    fn the_two_streams_do_not_mix_within_a_line() {
        let mut output = Output::new(1000);
        output.write(Stream::Stdout, b"out");
        output.write(Stream::Stderr, b"err\n");
        output.write(Stream::Stdout, b"put\n");
        let lines = output.take_lines();
        assert_eq!(lines[0].text, "err");
        assert_eq!(lines[0].stream, Stream::Stderr);
        assert_eq!(lines[1].text, "output");
        assert_eq!(lines[1].stream, Stream::Stdout);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced() {
        let mut output = Output::new(1000);
        output.write(Stream::Stdout, b"a\xffb\n");
        assert_eq!(texts(&mut output), ["a\u{fffd}b"]);
    }

    #[test]
    fn a_long_line_is_cut_at_16_kib_and_says_by_how_much() {
        let mut output = Output::new(1 << 20);
        let mut long = vec![b'x'; LINE_LIMIT + 5];
        long.push(b'\n');
        output.write(Stream::Stdout, &long);
        let text = texts(&mut output).remove(0);
        assert!(text.starts_with(&"x".repeat(LINE_LIMIT)));
        assert!(
            text.ends_with("x … [5 bytes cut]"),
            "{}",
            &text[LINE_LIMIT..]
        );
    }

    #[test]
    fn a_cut_does_not_tear_a_character() {
        let mut output = Output::new(1 << 20);
        let mut long = vec![b'x'; LINE_LIMIT - 1];
        long.extend_from_slice("é\n".as_bytes());
        output.write(Stream::Stdout, &long);
        assert!(texts(&mut output)[0].ends_with("x … [2 bytes cut]"));
    }

    #[test]
    fn a_short_line_counts_for_more_than_it_has() {
        let mut output = Output::new(10 * LEAST_LINE);
        output.write(Stream::Stdout, &[b'\n'; 1000]);
        assert_eq!(texts(&mut output).len(), 10);
        output.close();
        assert!(texts(&mut output)[0].starts_with("990 bytes of log output were dropped"));
    }

    #[test]
    fn a_line_that_comes_in_pieces_counts_for_no_more_than_one_that_comes_whole() {
        let mut output = Output::new(2 * LEAST_LINE);
        for byte in [b"x".repeat(LEAST_LINE - 1), b"\nsecond\n".to_vec()].concat() {
            output.write(Stream::Stdout, &[byte]);
        }
        assert_eq!(texts(&mut output).len(), 2);
        output.write(Stream::Stdout, b"third\n");
        assert!(texts(&mut output).is_empty());
    }

    #[test]
    fn what_is_over_the_budget_is_counted_and_dropped() {
        let mut output = Output::new(6);
        output.write(Stream::Stdout, b"first\n");
        output.write(Stream::Stderr, b"second\n");
        output.close();
        let lines = output.take_lines();
        assert_eq!(lines[0].text, "first");
        assert_eq!(lines[1].stream, Stream::Host);
        assert!(
            lines[1]
                .text
                .starts_with("7 bytes of log output were dropped")
        );
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn a_message_is_one_line_with_its_context_and_is_cut_as_one() {
        let mut output = Output::new(1 << 20);
        output.log(Level::Warn, "database", "one\ntwo");
        output.log(Level::Info, "", &"é".repeat(LINE_LIMIT));
        let lines = output.take_lines();
        assert_eq!(
            (&*lines[0].context, &*lines[0].text),
            ("database", "one\ntwo")
        );
        assert_eq!(lines[0].stream, Stream::Logging(Level::Warn));
        let cut = format!("é … [{LINE_LIMIT} bytes cut]");
        assert!(lines[1].text.ends_with(&cut) && lines[1].context.is_empty());
    }

    #[test]
    fn messages_count_against_the_budget_with_their_context() {
        let mut output = Output::new(2 * LEAST_LINE + 7);
        output.log(Level::Info, "", "");
        output.log(Level::Info, "c", "short");
        output.log(Level::Info, "four", "éé");
        output.log(Level::Info, "", "none");
        output.log(Level::Info, "", "");
        output.close();
        let texts = texts(&mut output);
        let dropped = "8 bytes of log output were dropped: over the limit of an execution";
        assert_eq!(texts, ["", "short", "é", dropped]);
    }
}
