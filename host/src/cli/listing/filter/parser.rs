//! From the text of a filter to its conditions.

use std::cmp::Ordering::{Equal, Greater, Less};

use regex::Regex;

use super::super::key::Key;
use super::{Condition, Filter, Test};

/// Operators, those first that begin with another.
const OPERATORS: [&str; 9] = ["!=", "!~", "<=", ">=", ":", "=", "<", ">", "~"];

/// How deep parentheses and negations go.
const DEEPEST: usize = 50;

/// Parses a whole filter.
pub(super) fn parse(text: &str) -> Result<Filter, String> {
    let mut parser = Parser {
        rest: text.trim(),
        keys: Vec::new(),
        depth: 0,
    };
    if parser.rest.is_empty() {
        return Err("it is empty".into());
    }
    let condition = parser.conditions()?;
    match parser.rest.chars().next() {
        None => Ok(Filter {
            condition,
            keys: parser.keys,
        }),
        Some(c) => Err(format!("`{c}` is not expected here: `{}`", parser.rest)),
    }
}

struct Parser<'a> {
    rest: &'a str,
    keys: Vec<(String, Key)>,
    depth: usize,
}

impl<'a> Parser<'a> {
    /// Conditions that are joined by one word, up to the end or a closing parenthesis.
    fn conditions(&mut self) -> Result<Condition, String> {
        let mut conditions = vec![self.condition()?];
        let mut joined_by_or = None;
        while !self.rest.is_empty() && !self.rest.starts_with(')') {
            let is_or = self.word("OR");
            if !is_or {
                // Two terms side by side are joined by AND as well.
                self.word("AND");
            }
            if joined_by_or.is_some_and(|before| before != is_or) {
                return Err(
                    "AND and OR stand side by side; say with parentheses what belongs together"
                        .into(),
                );
            }
            joined_by_or = Some(is_or);
            conditions.push(self.condition()?);
        }
        Ok(match (joined_by_or, conditions.len()) {
            (_, 1) => conditions.remove(0),
            (Some(true), _) => Condition::Any(conditions),
            _ => Condition::All(conditions),
        })
    }

    fn condition(&mut self) -> Result<Condition, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("it goes deeper than {DEEPEST} levels"));
        }
        let condition = if self.rest.is_empty() {
            return Err("it ends where a term should stand".into());
        } else if self.word("NOT") || self.token("-") {
            Condition::Not(Box::new(self.condition()?))
        } else if self.token("(") {
            let inner = self.conditions()?;
            if !self.token(")") {
                return Err("a parenthesis is not closed".into());
            }
            inner
        } else {
            self.term()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    fn term(&mut self) -> Result<Condition, String> {
        let end = self
            .rest
            .find(|c: char| c.is_whitespace() || ":=<>~!".contains(c))
            .unwrap_or(self.rest.len());
        let (name, _) = self.rest.split_at(end);
        let name = name.to_owned();
        self.advance(end);
        let key: Key = name.parse()?;
        let Some(operator) = OPERATORS.into_iter().find(|operator| self.token(operator)) else {
            return Err(format!("`{name}` has no operator"));
        };
        if self.rest.starts_with('=') {
            return Err(format!("`{operator}=` is not an operator; `=` is"));
        }
        let tests = self.values(&name)?;
        let tests = tests.into_iter().map(|value| test(operator, value));
        let tests = tests.collect::<Result<Vec<_>, _>>()?;
        self.keys.push((name, key.clone()));
        let term = Condition::Term(key, tests);
        Ok(match operator.starts_with('!') {
            true => Condition::Not(Box::new(term)),
            false => term,
        })
    }

    /// One value, or several in parentheses, of which one is enough.
    fn values(&mut self, key: &str) -> Result<Vec<String>, String> {
        let none = || format!("`{key}` is compared with no value");
        if !self.token("(") {
            return Ok(vec![self.value(" \t\r\n()")?.ok_or_else(none)?]);
        }
        let mut values = Vec::new();
        while !self.token(")") {
            if self.token(",") {
                continue;
            }
            match self.value(" \t\r\n(),")? {
                Some(value) => values.push(value),
                None => return Err("a parenthesis is not closed".into()),
            }
        }
        match values.is_empty() {
            true => Err(none()),
            false => Ok(values),
        }
    }

    /// A text in quotes, or up to one of `ends`.
    fn value(&mut self, ends: &str) -> Result<Option<String>, String> {
        if let Some(quote) = self.rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            let inner = &self.rest[1..];
            let end = inner.find(quote).ok_or("a quote is not closed")?;
            let value = inner[..end].to_owned();
            self.advance(end + 2);
            return Ok(Some(value));
        }
        let end = self
            .rest
            .find(|c| ends.contains(c))
            .unwrap_or(self.rest.len());
        let value = self.rest[..end].to_owned();
        self.advance(end);
        Ok((!value.is_empty()).then_some(value))
    }

    /// Takes `word` if it stands here alone.
    fn word(&mut self, word: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(word) else {
            return false;
        };
        let is_alone = rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || c == '(');
        if is_alone {
            self.advance(word.len());
        }
        is_alone
    }

    /// Takes `token` if it stands here.
    fn token(&mut self, token: &str) -> bool {
        let is_here = self.rest.starts_with(token);
        if is_here {
            self.advance(token.len());
        }
        is_here
    }

    fn advance(&mut self, length: usize) {
        self.rest = self.rest[length..].trim_start();
    }
}

fn test(operator: &str, value: String) -> Result<Test, String> {
    Ok(match operator {
        ":" if value == "*" => Test::IsThere,
        ":" if value.matches('*').count() > 1 => {
            return Err(format!("`{value}` has more than one `*`"));
        }
        ":" => Test::Has(value.to_lowercase()),
        "<" => Test::Compares(&[Less], value),
        "<=" => Test::Compares(&[Less, Equal], value),
        ">" => Test::Compares(&[Greater], value),
        ">=" => Test::Compares(&[Greater, Equal], value),
        "~" | "!~" => {
            let regex = Regex::new(&value);
            Test::Matches(regex.map_err(|_| format!("`{value}` is not a regular expression"))?)
        }
        _ => Test::Equals(value),
    })
}
