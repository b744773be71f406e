//! Which of two values comes first: numbers, times, durations and sizes by what they are, other text by its letters.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use super::super::time::{absolute, instant};
use crate::config::values::{bytes, duration};

/// What a value is compared by. Whatever is of an earlier kind comes first.
#[derive(Debug)]
enum Rank {
    Nothing,
    Number(f64),
    Time(Timestamp),
    Text(String),
}

/// The order of `value` and `other` in a list. It is total, as sorting needs it.
pub(super) fn compare(value: &Value, other: &Value) -> Ordering {
    match (rank(value), rank(other)) {
        (Rank::Number(one), Rank::Number(other)) => one.total_cmp(&other),
        (Rank::Time(one), Rank::Time(other)) => one.cmp(&other),
        (Rank::Text(one), Rank::Text(other)) => one.cmp(&other),
        (one, other) => one.kind().cmp(&other.kind()),
    }
}

/// How `value` stands to what somebody typed. A time may be compared with how long ago it was; where the two are not of
/// one kind, their letters are compared.
pub(super) fn compare_typed(value: &Value, typed: &str) -> Ordering {
    let letters = || plain(value).as_str().cmp(typed);
    match (rank(value), rank_of(typed)) {
        (Rank::Number(one), Rank::Number(other)) => one.total_cmp(&other),
        (Rank::Time(one), _) => match instant(typed) {
            Ok(other) => one.cmp(&other),
            Err(_) => letters(),
        },
        _ => letters(),
    }
}

/// Whether `value` is what somebody typed: the same text, whose case does not count, or the same number.
///
/// Text is never taken for more than text: `1h` is another name than `60m`.
pub(super) fn is_typed(value: &Value, typed: &str) -> bool {
    is_number(value, typed) || plain(value).to_lowercase() == typed.to_lowercase()
}

/// Whether `value` is a number, and `typed` the same one.
fn is_number(value: &Value, typed: &str) -> bool {
    let Value::Number(number) = value else {
        return false;
    };
    let unsigned = number.as_u64().map(i128::from);
    let whole = unsigned.or_else(|| number.as_i64().map(i128::from));
    match (whole, typed.parse::<i128>()) {
        // Large ones are not told apart once they are rounded.
        (Some(one), Ok(other)) => one == other,
        _ => typed
            .parse::<f64>()
            .is_ok_and(|other| number.as_f64() == Some(other)),
    }
}

impl Rank {
    fn kind(&self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Number(_) => 1,
            Self::Time(_) => 2,
            Self::Text(_) => 3,
        }
    }
}

fn rank(value: &Value) -> Rank {
    rank_of(&plain(value))
}

fn rank_of(text: &str) -> Rank {
    if text.is_empty() {
        return Rank::Nothing;
    }
    let milliseconds = |text: &str| duration(text).ok().map(|time| time.as_millis() as f64);
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    let measured = number
        .or_else(|| milliseconds(text))
        .or_else(|| bytes(text).ok().map(|bytes| bytes as f64));
    match (measured, absolute(text)) {
        (Some(number), _) => Rank::Number(number),
        (None, Some(time)) => Rank::Time(time),
        (None, None) => Rank::Text(text.to_owned()),
    }
}

/// A value as text, without quotes.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_compared_by_what_they_are() {
        for (less, more) in [
            (json!(2), json!(10)),
            (json!("9"), json!(10)),
            (json!("90s"), json!("2m")),
            (json!("512Ki"), json!("64Mi")),
            (
                json!("2026-11-23T14:00:00Z"),
                json!("2026-11-23T15:30:00+01:00"),
            ),
            (json!("a"), json!("b")),
            (json!(null), json!("a")),
        ] {
            assert_eq!(compare(&less, &more), Ordering::Less, "{less} {more}");
            let typed = compare_typed(&less, &plain(&more));
            assert_eq!(typed, Ordering::Less, "{less} {more}");
        }
        assert_eq!(compare(&json!("60s"), &json!("1m")), Ordering::Equal);
    }

    #[test]
    fn a_time_is_compared_with_how_long_ago_it_was() {
        let long_ago = json!("2020-11-23T14:00:00Z");
        for typed in ["-1h", "1h", "1h ago", "now", "2026-11-23"] {
            let order = compare_typed(&long_ago, typed);
            assert_eq!(order, Ordering::Less, "{typed}");
        }
    }

    #[test]
    fn kinds_follow_each_other_in_a_list() {
        let in_order = [
            json!(null),
            json!(3),
            json!("1m"),
            json!("2026-11-23T14:00:00Z"),
            json!("2h ago"),
            json!("word"),
        ];
        for (place, less) in in_order.iter().enumerate() {
            for more in &in_order[place + 1..] {
                assert_eq!(compare(less, more), Ordering::Less, "{less} {more}");
            }
        }
    }

    #[test]
    fn mixed_values_have_one_order() {
        let sample = [
            json!(null),
            json!(""),
            json!(0),
            json!(-0.0),
            json!(-7),
            json!(2.5),
            json!(u64::MAX),
            json!("10"),
            json!("9"),
            json!("1h"),
            json!("60m"),
            json!("-1h"),
            json!("512Ki"),
            json!("1e400"),
            json!("NaN"),
            json!("2026-11-23"),
            json!("2026-11-23T14:00:00Z"),
            json!("2020-01-01 10:00"),
            json!("2026-13-01"),
            json!("1-2"),
            json!("a"),
            json!("A"),
            json!("2x"),
            json!("é"),
            json!(true),
            json!([1, 2]),
            json!({"a": 1}),
        ];
        for a in &sample {
            assert_eq!(compare(a, a), Ordering::Equal, "{a}");
            for b in &sample {
                assert_eq!(compare(a, b), compare(b, a).reverse(), "{a} {b}");
                for c in &sample {
                    if compare(a, b).is_le() && compare(b, c).is_le() {
                        assert!(compare(a, c).is_le(), "{a} {b} {c}");
                    }
                }
            }
        }
        // Sorting looks for a wrong order in longer lists only.
        let mut many: Vec<_> = sample.iter().cycle().take(500).cloned().collect();
        many.sort_by(compare);
        many.reverse();
        many.sort_by(compare);
        assert!(many.is_sorted_by(|one, other| compare(one, other).is_le()));
    }

    #[test]
    fn text_equals_the_same_text_and_a_number_the_same_number() {
        for (value, typed) in [
            (json!("ENABLED"), "enabled"),
            (json!(12), "12"),
            (json!(12), "012"),
            (json!(12), "12.0"),
            (json!(0.5), ".5"),
            (json!(-3), "-3"),
            (json!(true), "true"),
            (json!(null), ""),
        ] {
            assert!(is_typed(&value, typed), "{value} {typed}");
        }
        for (value, typed) in [
            (json!("60m"), "1h"),
            (json!("1048576"), "1Mi"),
            (json!("12"), "012"),
            (json!("123456789012345678901"), "123456789012345678902"),
            (json!(9_007_199_254_740_993_u64), "9007199254740992"),
            (json!(12), "12s"),
            (json!(12), ""),
            (json!(null), "0"),
        ] {
            assert!(!is_typed(&value, typed), "{value} {typed}");
        }
    }
}
