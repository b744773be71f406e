//! The limits of a filter.

use super::*;
use crate::logs::filter::parser::{MAX_DEPTH, MAX_LENGTH, MAX_REGEXES, MAX_SEGMENTS, MAX_TERMS};

fn reason(text: &str) -> Option<String> {
    text.parse::<Filter>().err().map(|error| error.reason)
}

#[track_caller]
fn is_refused(text: &str, part: &str) {
    let reason = reason(text).expect("it is accepted");
    assert!(reason.contains(part), "{reason}");
}

#[test]
fn a_filter_has_a_longest_length_in_characters() {
    let longest = "世".repeat(MAX_LENGTH);
    assert_eq!(reason(&longest), None);
    is_refused(&format!("{longest}世"), "too long");
}

#[test]
fn a_filter_has_a_greatest_depth() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(reason(&nested(MAX_DEPTH - 1)), None);
    is_refused(&nested(MAX_DEPTH), "nested deeper");
    is_refused(&"NOT ".repeat(MAX_DEPTH + 1), "nested deeper");
    let values = format!("trace={}a{}", "(".repeat(MAX_DEPTH), ")".repeat(MAX_DEPTH));
    is_refused(&values, "nested deeper");
}

#[test]
fn a_filter_has_a_greatest_number_of_terms_and_of_regular_expressions() {
    assert_eq!(reason(&"a ".repeat(MAX_TERMS)), None);
    is_refused(&"a ".repeat(MAX_TERMS + 1), "more than 500");
    let words = |count: usize| {
        (0..count)
            .map(|word| format!("{word} "))
            .collect::<String>()
    };
    let search = |words: &str| format!("SEARCH(\"{words}\")");
    assert_eq!(reason(&search(&words(MAX_TERMS))), None);
    is_refused(&search(&words(MAX_TERMS + 1)), "words to search for");
    assert_eq!(reason(&search(&"a ".repeat(MAX_TERMS + 1))), None);
    assert_eq!(reason(&"trace=~a ".repeat(MAX_REGEXES)), None);
    is_refused(&"trace=~a ".repeat(MAX_REGEXES + 1), "more than 32");
}

#[test]
fn a_path_has_a_greatest_number_of_parts() {
    let path = |parts: usize| format!("jsonPayload{}", ".a".repeat(parts - 1));
    assert_eq!(reason(&format!("{}=b", path(MAX_SEGMENTS))), None);
    is_refused(&format!("{}=b", path(MAX_SEGMENTS + 1)), "more than 100");
}

#[test]
fn a_regular_expression_has_a_largest_size() {
    assert_eq!(reason(r#"trace=~"\w{10}""#), None);
    is_refused(r#"trace=~"\w{1000}""#, "too large");
    is_refused(r#"trace=~"((a{100}){100}){100}""#, "too large");
}
