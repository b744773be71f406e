//! From the text of a filter to its expression.
//!
//! NOT binds tightest, then OR, then AND: `a OR NOT b AND c` is `(a OR (NOT b)) AND c`. Terms side by side are joined by
//! AND.

use super::comparison::{Comparison, Operator};
use super::error::FilterError;
use super::expression::{Expression, SearchText};
use super::field::Field;
use super::function::{self, Argument, Function};
use super::literal::Operand;
use super::scanner::Scanner;

/// The longest filter, in characters, as in Cloud Logging.
pub(super) const MAX_LENGTH: usize = 20_000;
/// How deep parentheses and negations may be nested.
pub(super) const MAX_DEPTH: usize = 64;
/// How many parts with `.` between them a path or a text without quotes may have.
pub(super) const MAX_SEGMENTS: usize = 100;
/// How many comparisons, texts, functions and words of `SEARCH` a filter may have.
pub(super) const MAX_TERMS: usize = 500;
/// How many of them may be regular expressions.
pub(super) const MAX_REGEXES: usize = 32;

const OPERATORS: [(&str, Operator); 9] = [
    ("!=", Operator::NotEqual),
    ("!~", Operator::NotMatch),
    ("=~", Operator::Match),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("=", Operator::Equal),
    ("<", Operator::Less),
    (">", Operator::Greater),
    (":", Operator::Has),
];

/// Parses a whole filter.
pub(super) fn parse(text: &str) -> Result<Expression, FilterError> {
    let mut parser = Parser {
        scanner: Scanner::new(text),
        depth: 0,
        terms: 0,
        regexes: 0,
    };
    if text.chars().nth(MAX_LENGTH).is_some() {
        let reason = format!("it is too long; expected at most {MAX_LENGTH} characters");
        return Err(parser.scanner.reject(reason));
    }
    parser.scanner.skip_space();
    if parser.scanner.rest().is_empty() {
        return Ok(Expression::All(Vec::new()));
    }
    let expression = parser.all(None)?;
    match parser.scanner.rest() {
        "" => Ok(expression),
        _ => Err(parser.scanner.error("AND, OR or the end")),
    }
}

/// The field and the operator to which values in parentheses belong.
type Target<'t> = Option<&'t (Field, Operator)>;

struct Parser<'a> {
    scanner: Scanner<'a>,
    depth: usize,
    terms: usize,
    regexes: usize,
}

impl Parser<'_> {
    /// Terms joined by AND, up to the end or a closing parenthesis.
    fn all(&mut self, target: Target<'_>) -> Result<Expression, FilterError> {
        let mut parts = vec![self.any(target)?];
        while !self.scanner.rest().is_empty() && !self.scanner.rest().starts_with([')', ',']) {
            self.keyword("AND");
            parts.push(self.any(target)?);
        }
        // `f != (a OR b)` is true if `f` is neither.
        let is_negated = target.is_some_and(|(_, operator)| operator.is_negated());
        Ok(joined(parts, is_negated))
    }

    /// Terms joined by OR.
    fn any(&mut self, target: Target<'_>) -> Result<Expression, FilterError> {
        let mut parts = vec![self.term(target)?];
        while self.keyword("OR") {
            parts.push(self.term(target)?);
        }
        let is_negated = target.is_some_and(|(_, operator)| operator.is_negated());
        Ok(joined(parts, !is_negated))
    }

    fn term(&mut self, target: Target<'_>) -> Result<Expression, FilterError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let reason = format!("it is nested deeper than {MAX_DEPTH} levels");
            return Err(self.scanner.reject(reason));
        }
        let is_number = target.is_some() && self.scanner.word().parse::<f64>().is_ok();
        let expression = if self.keyword("NOT") || (!is_number && self.token("-")) {
            Expression::Not(Box::new(self.term(target)?))
        } else if self.token("(") {
            self.closed(target)?
        } else {
            self.count_terms(1)?;
            match target {
                Some((field, operator)) => self.value(field, *operator)?,
                None => self.restriction()?,
            }
        };
        self.depth -= 1;
        Ok(expression)
    }

    /// The rest of what stands in parentheses.
    fn closed(&mut self, target: Target<'_>) -> Result<Expression, FilterError> {
        let inner = self.all(target)?;
        match self.token(")") {
            true => Ok(inner),
            false => Err(self.scanner.error("AND, OR or `)`")),
        }
    }

    /// A comparison, a text or a function.
    fn restriction(&mut self) -> Result<Expression, FilterError> {
        let start = self.scanner;
        let (segments, is_quoted) = self.path()?;
        let raw = self.scanner.since(start);
        if self.scanner.rest().starts_with('(') && !is_quoted {
            return self.function(raw, start);
        }
        self.scanner.skip_space();
        if let Some(operator) = self.operator() {
            let field = Field::new(segments).map_err(|reason| start.reject(reason))?;
            return self.comparison(field, operator);
        }
        let text = match (is_quoted, segments.as_slice()) {
            (false, _) => raw.to_owned(),
            (true, [text]) => text.clone(),
            (true, _) => return Err(self.scanner.error("an operator such as `=`")),
        };
        Ok(Expression::Text(SearchText::new(text)))
    }

    /// The segments of a field's path, and whether one of them is in quotes. Also reads a text.
    fn path(&mut self) -> Result<(Vec<String>, bool), FilterError> {
        if ["AND", "OR"].contains(&self.scanner.word()) {
            return Err(self.scanner.error("a comparison or a text"));
        }
        let (mut segments, mut is_quoted) = (Vec::new(), false);
        loop {
            if let Some(text) = self.scanner.quoted()? {
                is_quoted = true;
                segments.push(text);
            } else {
                let segment = self.scanner.segment();
                if segment.is_empty() {
                    return Err(self.scanner.error("a comparison or a text"));
                }
                self.scanner.take(segment);
                segments.push(segment.to_owned());
            }
            if !self.scanner.take(".") {
                return Ok((segments, is_quoted));
            }
            if segments.len() == MAX_SEGMENTS {
                let reason = format!(
                    "it has more than {MAX_SEGMENTS} names with `.` between them; put a text in quotes"
                );
                return Err(self.scanner.reject(reason));
            }
        }
    }

    fn operator(&mut self) -> Option<Operator> {
        let found = OPERATORS.iter().find(|(sign, _)| self.token(sign));
        found.map(|(_, operator)| *operator)
    }

    /// What follows an operator: a value, or several in parentheses.
    fn comparison(&mut self, field: Field, operator: Operator) -> Result<Expression, FilterError> {
        match self.token("(") {
            true => self.closed(Some(&(field, operator))),
            false => self.value(&field, operator),
        }
    }

    fn value(&mut self, field: &Field, operator: Operator) -> Result<Expression, FilterError> {
        let start = self.scanner;
        if operator.is_regex() {
            self.regexes += 1;
        }
        if self.regexes > MAX_REGEXES {
            let reason = format!("it has more than {MAX_REGEXES} regular expressions");
            return Err(start.reject(reason));
        }
        let operand = self.operand()?;
        let comparison = Comparison::new(field.clone(), operator, operand);
        let comparison = comparison.map_err(|reason| start.reject(reason))?;
        Ok(Expression::Comparison(comparison))
    }

    fn operand(&mut self) -> Result<Operand, FilterError> {
        let start = self.scanner;
        let operand = match self.scanner.quoted()? {
            Some(text) => Operand::Text(text),
            None => {
                let word = self.scanner.word();
                if word.is_empty() || ["AND", "OR", "NOT"].contains(&word) {
                    return Err(start.error("a value"));
                }
                self.scanner.take(word);
                Operand::unquoted(word)
            }
        };
        if self
            .scanner
            .rest()
            .starts_with(['"', ':', '=', '<', '>', '!', '~', '('])
        {
            return Err(self.scanner.error(
                "white space after the value (a value with special characters needs double quotes)",
            ));
        }
        self.scanner.skip_space();
        Ok(operand)
    }

    /// The arguments of the function `name`, after which the scanner stands.
    fn function(&mut self, name: &str, start: Scanner<'_>) -> Result<Expression, FilterError> {
        if !function::is_known(name) {
            return Err(start.reject(format!(
                "the function `{name}` is not supported; expected one of {}",
                function::NAMES.join(", ")
            )));
        }
        self.token("(");
        let mut arguments = Vec::new();
        loop {
            let before = self.scanner;
            let (segments, is_quoted) = self.path()?;
            let raw = self.scanner.since(before);
            arguments.push(match segments.as_slice() {
                [text] if is_quoted => Argument::Text(text.clone()),
                _ => Argument::Word(raw.to_owned(), segments),
            });
            self.scanner.skip_space();
            if arguments.len() < function::MAX_ARGUMENTS && self.token(",") {
                continue;
            }
            if !self.token(")") {
                return Err(self.scanner.error("`,` or `)`"));
            }
            let function = Function::new(name, arguments);
            let function = function.map_err(|reason| start.reject(reason))?;
            self.count_terms(function.more_terms())?;
            return Ok(Expression::Function(function));
        }
    }

    fn count_terms(&mut self, more: usize) -> Result<(), FilterError> {
        self.terms += more;
        match self.terms > MAX_TERMS {
            true => {
                let reason =
                    format!("it has more than {MAX_TERMS} comparisons and words to search for");
                Err(self.scanner.reject(reason))
            }
            false => Ok(()),
        }
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let is_next = self.scanner.take_keyword(keyword);
        if is_next {
            self.scanner.skip_space();
        }
        is_next
    }

    fn token(&mut self, token: &str) -> bool {
        let is_next = self.scanner.take(token);
        if is_next {
            self.scanner.skip_space();
        }
        is_next
    }
}

/// `parts` as one expression; one part as it is.
fn joined(mut parts: Vec<Expression>, is_any: bool) -> Expression {
    match (parts.len(), is_any) {
        (1, _) => parts.remove(0),
        (_, true) => Expression::Any(parts),
        (_, false) => Expression::All(parts),
    }
}
