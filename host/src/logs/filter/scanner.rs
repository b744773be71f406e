//! The characters of a filter: white space, comments, words and quoted texts.

use super::error::FilterError;

/// The characters that end a word. They have a meaning, so a text with them must be in quotes.
const DELIMITERS: &str = "()\":=<>!~,";
/// How much of a filter an error quotes, in characters.
const MAX_QUOTED: usize = 30;

/// A position in a filter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    /// The position, in bytes.
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// The text between an earlier position and this one.
    pub(super) fn since(&self, earlier: Self) -> &'a str {
        &self.text[earlier.at..self.at]
    }

    /// Skips white space and comments, which reach from `--` to the end of the line.
    pub(super) fn skip_space(&mut self) {
        loop {
            self.at = self.text.len() - self.rest().trim_start().len();
            if !self.rest().starts_with("--") {
                return;
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    /// Skips `token` if it comes next.
    pub(super) fn take(&mut self, token: &str) -> bool {
        let is_next = self.rest().starts_with(token);
        if is_next {
            self.at += token.len();
        }
        is_next
    }

    /// Skips `keyword` if it comes next as a whole word.
    pub(super) fn take_keyword(&mut self, keyword: &str) -> bool {
        let is_next = self.word() == keyword;
        if is_next {
            self.at += keyword.len();
        }
        is_next
    }

    /// The characters up to the next delimiter, white space or `.`, not skipped.
    pub(super) fn segment(&self) -> &'a str {
        self.up_to(|c| c == '.' || ends_word(c))
    }

    /// The characters up to the next delimiter or white space, not skipped.
    pub(super) fn word(&self) -> &'a str {
        self.up_to(ends_word)
    }

    fn up_to(&self, ends: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        &rest[..rest.find(ends).unwrap_or(rest.len())]
    }

    /// Reads a text in double quotes, if one comes next. An unknown escape such as `\d` is kept as it is, so that regular
    /// expressions need no double backslashes.
    pub(super) fn quoted(&mut self) -> Result<Option<String>, FilterError> {
        let start = *self;
        if !self.take("\"") {
            return Ok(None);
        }
        let mut text = String::new();
        loop {
            let Some(c) = self.next_char() else {
                return Err(start.error("a quoted text that ends with `\"`"));
            };
            match c {
                '"' => return Ok(Some(text)),
                '\\' => self.escape(&mut text)?,
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Result<(), FilterError> {
        let start = *self;
        match self.next_char() {
            Some(c @ ('"' | '\\')) => text.push(c),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('t') => text.push('\t'),
            Some('u') => {
                let digits = self.rest().get(..4);
                let code = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
                let c = code.and_then(char::from_u32);
                text.push(c.ok_or_else(|| start.error("`u` and four digits of a character"))?);
                self.at += 4;
            }
            Some(c) => text.extend(['\\', c]),
            // The text is not closed, which the caller reports.
            None => {}
        }
        Ok(())
    }

    fn next_char(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// The error that `expected` does not come next.
    pub(super) fn error(&self, expected: &str) -> FilterError {
        let next: String = self.rest().chars().take(MAX_QUOTED).collect();
        self.reject(match next.is_empty() {
            true => format!("expected {expected}, found the end"),
            false => format!("expected {expected}, found `{}`", next.escape_debug()),
        })
    }

    /// An error at this position.
    pub(super) fn reject(&self, reason: String) -> FilterError {
        FilterError {
            position: self.text[..self.at].chars().count() + 1,
            reason,
        }
    }
}

fn ends_word(c: char) -> bool {
    c.is_whitespace() || DELIMITERS.contains(c)
}
