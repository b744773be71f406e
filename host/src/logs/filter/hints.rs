//! What a query needs to read, so that a filter is not applied to the whole log.

use std::time::{Duration, SystemTime};

use super::Filter;
use super::comparison::{Comparison, Operator, Test};
use super::expression::Expression;
use super::literal::Operand;
use crate::logs::entry::Severity;
use crate::logs::query::Query;

/// The smallest difference of two times.
const NANOSECOND: Duration = Duration::from_nanos(1);

impl Filter {
    /// `query`, narrowed by what every matching entry meets. It still finds entries that do not match.
    ///
    /// Only terms that are joined by AND at the top level count.
    pub fn narrow(&self, mut query: Query) -> Query {
        narrow(&self.0, &mut query);
        query
    }
}

fn narrow(expression: &Expression, query: &mut Query) {
    match expression {
        Expression::All(parts) => parts.iter().for_each(|part| narrow(part, query)),
        Expression::Comparison(comparison) => narrow_by(comparison, query),
        Expression::Any(_) | Expression::Not(_) | Expression::Text(_) | Expression::Function(_) => {
        }
    }
}

fn narrow_by(comparison: &Comparison, query: &mut Query) {
    let (field, operator) = (&comparison.field, comparison.operator);
    match &comparison.test {
        Test::Severity(number) => narrow_severity(operator, *number, query),
        // The time of reception is not stored.
        Test::Time(time) if field.is(&["timestamp"]) => {
            narrow_time(operator, SystemTime::from(*time), query);
        }
        Test::Any(_) if operator == Operator::Equal => {
            let Operand::Text(text) = &comparison.operand else {
                return;
            };
            // Ids of executions are in lower case. Names of functions are not always, and `=` ignores the case.
            if field.is(&["labels", "execution_id"]) {
                query.execution_id = Some(text.to_lowercase());
            } else if field.is(&["resource", "labels", "function_name"]) {
                query.function_in_any_case = Some(text.to_lowercase());
            }
        }
        _ => {}
    }
}

fn narrow_severity(operator: Operator, number: u16, query: &mut Query) {
    let is_enough = |severity: &Severity| match operator {
        Operator::Greater => severity.number() > number,
        _ => severity.number() >= number,
    };
    let has_minimum = matches!(
        operator,
        Operator::Equal | Operator::Has | Operator::Greater | Operator::GreaterOrEqual
    );
    if has_minimum && let Some(least) = Severity::ALL.into_iter().find(is_enough) {
        query.min_severity = query.min_severity.max(Some(least));
    }
}

fn narrow_time(operator: Operator, time: SystemTime, query: &mut Query) {
    let after = time.checked_add(NANOSECOND).unwrap_or(time);
    let (start, end) = match operator {
        Operator::Greater | Operator::GreaterOrEqual => (Some(time), None),
        Operator::Less => (None, Some(time)),
        Operator::LessOrEqual => (None, Some(after)),
        Operator::Equal | Operator::Has => (Some(time), Some(after)),
        Operator::NotEqual | Operator::Match | Operator::NotMatch => (None, None),
    };
    query.start = query.start.max(start);
    query.end = match (query.end, end) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
}
