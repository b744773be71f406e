//! What is not a filter.

use super::*;

fn refused(text: &str) -> FilterError {
    match text.parse::<Filter>() {
        Ok(filter) => panic!("{text}: {filter}"),
        Err(error) => error,
    }
}

#[test]
fn an_error_names_the_character_and_what_was_expected() {
    for (text, position, reason) in [
        ("severity>=", 11, "expected a value, found the end"),
        (
            "世界 AND",
            7,
            "expected a comparison or a text, found the end",
        ),
        (
            "(severity=INFO",
            15,
            "expected AND, OR or `)`, found the end",
        ),
        (
            "severity=INFO)",
            14,
            "expected AND, OR or the end, found `)`",
        ),
        ("OR a", 1, "expected a comparison or a text, found `OR a`"),
        ("severity==INFO", 10, "expected a value, found `=INFO`"),
        ("trace=\"a", 7, "expected a quoted text that ends with `\"`"),
        ("trace=a:b", 8, "double quotes"),
        ("trace=\"\\u00\"", 9, "four digits"),
        ("severity>=LOUD", 11, "a severity such as ERROR"),
        ("timestamp>yesterday", 11, "a time such as"),
        ("httpRequest.status=many", 20, "a number"),
        ("httpRequest.latency>5", 21, "a duration such as 1.5s"),
        ("traceSampled=maybe", 14, "true or false"),
        ("trace=~\"(\"", 8, "not a regular expression"),
        ("trace=*", 7, "needs the operator `:`"),
        ("trace=NULL_VALUE", 7, "NULL_VALUE"),
        ("resource=a", 10, "several fields"),
        ("sevrity=INFO", 1, "is not a field of a log entry"),
        ("textPayload.a=b", 1, "is not a field of a log entry"),
        ("\"a\".b", 6, "an operator"),
        ("a AND cast(b)", 7, "the function `cast` is not supported"),
        ("log_id(a)", 1, "log_id(\"LOG_ID\")"),
        ("sample(insertId, 2)", 1, "between 0 and 1"),
        ("ip_in_net(jsonPayload.a, \"b\")", 1, "a network such as"),
        (
            "ip_in_net(jsonPayload.a, \"b\", c)",
            29,
            "expected `,` or `)`",
        ),
        ("SEARCH(\"`a b`\")", 1, "backticks"),
        ("SEARCH(\"!\")", 1, "a text with words"),
        ("a, b", 2, "expected AND, OR or the end"),
    ] {
        let error = refused(text);
        assert_eq!(error.position, position, "{text}: {error}");
        assert!(error.reason.contains(reason), "{text}: {error}");
        assert_eq!(error.to_string().lines().count(), 1, "{text}");
    }
}

#[test]
fn an_error_is_on_one_line_whatever_it_quotes() {
    let error = refused("a\n)\u{1b}[31m\n\"");
    assert!(!error.to_string().contains(['\n', '\u{1b}']), "{error}");
    let error = refused("\"a\nb\"=c");
    assert!(!error.to_string().contains('\n'), "{error}");
}
