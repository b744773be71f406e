//! Searching by text and by regular expression.

use super::*;

#[test]
fn words_are_found_as_they_were_printed() {
    let odd = [
        "plain words",
        "with \"quotes\" and back\\slash",
        "\x1b[31mred\x1b[0m",
        "nul \0 and \t tab",
        "Grüße, 世界 🎉",
        "mark \u{202e} and \u{9b}",
        "\"labels\":{\"execution_id\":\"forgedforged\"}",
    ];
    let log = Log::of(odd.iter().map(|text| printed("f", 0, text)));
    for text in odd {
        for part in [
            text,
            &text[..4],
            text.trim_start_matches(char::is_alphabetic),
        ] {
            let query = Query {
                contains: Some(part.into()),
                ..all()
            };
            assert!(log.read(&query).contains(&text.to_owned()), "{part:?}");
        }
    }
    for absent in ["PLAIN", "textPayload", "timestamp", "\\u001b", "words\n"] {
        let query = Query {
            contains: Some(absent.into()),
            ..all()
        };
        assert!(log.read(&query).is_empty(), "{absent}");
    }
}

#[test]
fn words_are_found_in_the_values_of_a_json_payload_and_not_in_its_keys() {
    let log = Log::of([printed(
        "f",
        0,
        r#"{"message":"paid","order":{"ids":[4711,true]}}"#,
    )]);
    for (words, count) in [("paid", 1), ("471", 1), ("true", 1), ("order", 0), ("[", 0)] {
        let query = Query {
            contains: Some(words.into()),
            ..all()
        };
        assert_eq!(log.read(&query).len(), count, "{words}");
    }
}

#[test]
fn regular_expressions_are_matched_against_what_was_printed() {
    let log = Log::of((0..50).map(|n| printed("f", n, &format!("order \"{n}\" took {n} ms"))));
    for (regex, count) in [
        ("^order \"[0-9]\" took", 10),
        ("took (4[89]) ms$", 2),
        ("(?i)ORDER", 50),
        ("a|b", 0),
        ("\"7\"", 1),
        ("", 50),
    ] {
        let query = Query {
            regex: Some(regex.into()),
            ..all()
        };
        assert_eq!(log.read(&query).len(), count, "{regex}");
    }
    let query = Query {
        regex: Some("(".into()),
        ..all()
    };
    let error = read(&log.directory, &query).unwrap_err();
    assert!(matches!(error, QueryError::Regex(_)));
}
