//! Random filters: what is printed is parsed again to the same expression, and matches what a plain evaluator does.

use super::*;

/// A generator of pseudo-random numbers (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// A filter as the plain evaluator knows it.
enum Plain {
    All(Vec<Plain>),
    Any(Vec<Plain>),
    Not(Box<Plain>),
    /// `jsonPayload.FIELD OPERATOR NUMBER`
    Number(&'static str, &'static str, i64),
    /// `jsonPayload.FIELD OPERATOR "TEXT"`
    Text(&'static str, &'static str, &'static str),
    Severity(&'static str, &'static str),
    Word(&'static str),
}

const NUMBERS: [&str; 2] = ["n", "m"];
const TEXTS: [&str; 2] = ["s", "a key"];
const WORDS: [&str; 7] = ["ab", "AB", "b", "x\"y", "back\\d", "line\nfeed", "世"];
const SEVERITIES: [&str; 4] = ["DEFAULT", "INFO", "ERROR", "EMERGENCY"];
const ORDERS: [&str; 6] = ["=", "!=", "<", "<=", ">", ">="];

fn filter(random: &mut Random, depth: usize) -> Plain {
    let choice = match depth {
        0 => 3 + random.below(4),
        _ => random.below(7),
    };
    let parts = |random: &mut Random| {
        let count = 2 + random.below(3);
        (0..count).map(|_| filter(random, depth - 1)).collect()
    };
    match choice {
        0 => Plain::All(parts(random)),
        1 => Plain::Any(parts(random)),
        2 => Plain::Not(Box::new(filter(random, depth - 1))),
        3 => Plain::Number(
            random.one_of(&NUMBERS),
            random.one_of(&ORDERS),
            random.below(5) as i64 - 2,
        ),
        4 => {
            let operator = random.one_of(&["=", "!=", "<", ">=", ":"]);
            Plain::Text(random.one_of(&TEXTS), operator, random.one_of(&WORDS))
        }
        5 => Plain::Severity(random.one_of(&ORDERS), random.one_of(&SEVERITIES)),
        _ => Plain::Word(random.one_of(&WORDS)),
    }
}

fn written(filter: &Plain, random: &mut Random) -> String {
    let mut joined = |parts: &[Plain], signs: &[&str]| {
        let mut text = String::from("(");
        for (number, part) in parts.iter().enumerate() {
            if number > 0 {
                text.push_str(random.one_of(signs));
            }
            text.push_str(&written(part, random));
        }
        text + ")"
    };
    match filter {
        Plain::All(parts) => joined(parts, &[" AND ", " ", "\n-- (\n"]),
        Plain::Any(parts) => joined(parts, &[" OR ", "\tOR\n"]),
        Plain::Not(part) => random.one_of(&["NOT ", "- "]).to_owned() + &written(part, random),
        Plain::Number(field, operator, number) => format!("jsonPayload.{field}{operator}{number}"),
        Plain::Text(field, operator, text) => {
            let (field, text) = (literal::Quoted(field), literal::Quoted(text));
            format!("json_payload.{field} {operator} {text}")
        }
        Plain::Severity(operator, name) => {
            format!("severity {operator} {}", name.to_lowercase())
        }
        Plain::Word(text) => literal::Quoted(text).to_string(),
    }
}

fn entry(random: &mut Random) -> Value {
    let mut payload = serde_json::Map::new();
    for name in NUMBERS {
        if random.below(3) > 0 {
            payload.insert(name.into(), json!(random.below(5) as i64 - 2));
        }
    }
    for name in TEXTS {
        if random.below(3) > 0 {
            let text = random.one_of(&WORDS).to_owned() + random.one_of(&WORDS);
            payload.insert(name.into(), json!(text));
        }
    }
    json!({"severity": random.one_of(&SEVERITIES), "jsonPayload": payload})
}

fn holds(filter: &Plain, entry: &Value) -> bool {
    let payload = &entry["jsonPayload"];
    match filter {
        Plain::All(parts) => !parts.iter().any(|part| !holds(part, entry)),
        Plain::Any(parts) => !parts.iter().all(|part| !holds(part, entry)),
        Plain::Not(part) => !holds(part, entry),
        Plain::Number(field, operator, number) => {
            let found = payload[*field].as_i64();
            found.is_some_and(|found| is_in_order(&found, operator, number))
        }
        Plain::Text(field, operator, text) => {
            let text = text.to_lowercase();
            let found = payload[*field].as_str().map(str::to_lowercase);
            found.is_some_and(|found| match *operator {
                ":" => found.contains(&text),
                operator => is_in_order(&found, operator, &text),
            })
        }
        Plain::Severity(operator, name) => {
            let place = |name: &str| SEVERITIES.iter().position(|other| *other == name);
            let found = place(entry["severity"].as_str().unwrap_or_default());
            is_in_order(&found, operator, &place(name))
        }
        Plain::Word(text) => {
            let payload = payload.as_object().into_iter().flat_map(|all| all.values());
            payload.chain([&entry["severity"]]).any(|value| {
                let plain = value.as_str().map_or(value.to_string(), str::to_owned);
                plain.to_lowercase().contains(&text.to_lowercase())
            })
        }
    }
}

fn is_in_order<T: Ord>(found: &T, operator: &str, wanted: &T) -> bool {
    match operator {
        "=" => found == wanted,
        "!=" => found != wanted,
        "<" => found < wanted,
        "<=" => found <= wanted,
        ">" => found > wanted,
        _ => found >= wanted,
    }
}

#[test]
fn a_filter_that_is_printed_is_parsed_to_the_same_expression() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..3_000 {
        let plain = filter(&mut random, 4);
        let parsed = parse(&written(&plain, &mut random));
        let printed = parsed.to_string();
        assert_eq!(parse(&printed), parsed, "{printed}");
    }
}

#[test]
fn a_filter_matches_what_a_plain_evaluator_accepts() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut matched = 0;
    for _ in 0..2_000 {
        let plain = filter(&mut random, 3);
        let text = written(&plain, &mut random);
        let parsed = parse(&text);
        for _ in 0..5 {
            let entry = entry(&mut random);
            assert_eq!(
                parsed.matches(&entry),
                holds(&plain, &entry),
                "{text} {entry}"
            );
            matched += u32::from(holds(&plain, &entry));
        }
    }
    assert!((2_000..8_000).contains(&matched), "{matched}");
}

#[test]
fn any_pieces_are_refused_in_one_line_or_are_one_filter() {
    const PIECES: [&str; 40] = [
        "AND",
        "OR",
        "NOT",
        "-",
        "--",
        "(",
        ")",
        ",",
        ".",
        "\"",
        "\\",
        "'",
        "*",
        "=",
        "!=",
        ":",
        "=~",
        "!~",
        "<",
        ">=",
        " ",
        " ",
        "\n",
        "severity",
        "timestamp",
        "labels",
        "jsonPayload",
        "trace",
        "\"a\"",
        "世",
        "5",
        "-5",
        "INFO",
        "2026-11-01",
        "1.5s",
        "NULL_VALUE",
        "sample",
        "SEARCH",
        "log_id(\"a\")",
        "httpRequest.latency",
    ];
    let mut random = Random(0x1234_5678_9abc_def1);
    let mut parsed = 0;
    for _ in 0..30_000 {
        let count = 1 + random.below(8);
        let text: String = (0..count).map(|_| random.one_of(&PIECES)).collect();
        match text.parse::<Filter>() {
            Ok(filter) => {
                let printed = filter.to_string();
                assert_eq!(parse(&printed), filter, "{text:?} {printed:?}");
                filter.matches(&entry(&mut random));
                parsed += 1;
            }
            Err(error) => {
                assert_eq!(error.to_string().lines().count(), 1, "{text:?}");
                assert!(error.position <= text.chars().count() + 1, "{text:?}");
            }
        }
    }
    assert!(parsed > 1_000, "{parsed}");
}
