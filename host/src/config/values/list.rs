//! Lists, as gcloud takes them: `A=1,B=2`, or `^;^A=1,2;B=3` with a delimiter of one's own.
//!
//! A flag may be given several times, which adds to the list.

use std::collections::BTreeMap;

/// Items of one flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed<T>(Vec<T>);

/// A pair of a list.
pub(crate) type Pair = (String, String);

/// Parses pairs, such as `A=1,B=2`. A value may be empty.
pub(crate) fn pairs(text: &str) -> Result<Listed<Pair>, String> {
    listed(text, "KEY=VALUE", pair)
}

/// Parses fields of a request's head, such as `Accept=text/html`.
pub(crate) fn headers(text: &str) -> Result<Listed<Pair>, String> {
    listed(text, "NAME=VALUE", |text| {
        pair(text)
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .map_err(|_| format!("`{text}` is not a header; expected NAME=VALUE"))
    })
}

/// Parses names, such as `A,B`.
pub(crate) fn names(text: &str) -> Result<Listed<String>, String> {
    listed(text, "NAME", |name| match name.trim() {
        "" => Err("there is an empty name in the list".into()),
        name => Ok(name.to_owned()),
    })
}

/// Parses a list of what `item` reads, in the form `shape`.
pub(crate) fn listed<T>(
    text: &str,
    shape: &str,
    item: impl Fn(&str) -> Result<T, String>,
) -> Result<Listed<T>, String> {
    let (delimiter, list) = match text.strip_prefix('^').and_then(|rest| rest.split_once('^')) {
        Some(("", _)) => {
            return Err(format!(
                "`{text}` begins with an empty delimiter; expected one such as `^;^`"
            ));
        }
        Some(parts) => parts,
        None => (",", text),
    };
    // The last item may end with the delimiter.
    let list = list.strip_suffix(delimiter).unwrap_or(list);
    if list.is_empty() {
        return Err(format!("the list is empty; expected {shape},…"));
    }
    let items = list.split(delimiter).map(item);
    let items = items.collect::<Result<_, _>>().map_err(|error| {
        let hint = "a value with a comma needs a delimiter of its own, as in `^;^A=1,2;B=3`";
        match delimiter == "," && list.contains(',') {
            true => format!("{error}; {hint}"),
            false => error,
        }
    })?;
    Ok(Listed(items))
}

/// Parses `KEY=VALUE`.
pub(crate) fn pair(text: &str) -> Result<Pair, String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && !text.contains('\0') => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err(format!("`{text}` is not a variable; expected KEY=VALUE")),
    }
}

/// All items that a flag was given.
pub(crate) fn all<T>(lists: &[Listed<T>]) -> impl Iterator<Item = &T> {
    lists.iter().flat_map(|list| &list.0)
}

/// All pairs that a flag was given, by key.
///
/// # Errors
/// If a key was given twice.
pub(crate) fn map(lists: &[Listed<Pair>]) -> Result<BTreeMap<String, String>, String> {
    unique(lists, |one, other| one == other)
}

/// As [`map`], of fields of a request's head, whose case does not count.
///
/// # Errors
/// If a field was given twice.
pub(crate) fn header_map(lists: &[Listed<Pair>]) -> Result<BTreeMap<String, String>, String> {
    unique(lists, str::eq_ignore_ascii_case)
}

fn unique(
    lists: &[Listed<Pair>],
    is_same: impl Fn(&str, &str) -> bool,
) -> Result<BTreeMap<String, String>, String> {
    let mut map = BTreeMap::<String, String>::new();
    for (key, value) in all(lists) {
        if map.keys().any(|other| is_same(other, key)) {
            return Err(format!("`{key}` is given twice; leave one of them out"));
        }
        map.insert(key.clone(), value.clone());
    }
    Ok(map)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Pair> {
        let list = pairs(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        list.0
    }

    fn pair(key: &str, value: &str) -> Pair {
        (key.into(), value.into())
    }

    #[test]
    fn a_list_has_commas_or_a_delimiter_of_its_own() {
        for (text, expected) in [
            ("A=1", vec![pair("A", "1")]),
            ("A=1,B=2", vec![pair("A", "1"), pair("B", "2")]),
            ("A=1,B=2,", vec![pair("A", "1"), pair("B", "2")]),
            ("^;^A=1,2;B=3", vec![pair("A", "1,2"), pair("B", "3")]),
            ("^::^A=a:b::B=3", vec![pair("A", "a:b"), pair("B", "3")]),
            ("^,^A=^x^,B=3", vec![pair("A", "^x^"), pair("B", "3")]),
            ("^é^A=1,2éB=3", vec![pair("A", "1,2"), pair("B", "3")]),
            // One caret is no delimiter.
            ("^A=1", vec![pair("^A", "1")]),
            ("A=^;^", vec![pair("A", "^;^")]),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn a_variable_has_a_name_and_may_have_an_empty_value() {
        assert_eq!(read("A=b=c"), [pair("A", "b=c")]);
        assert_eq!(read("A="), [pair("A", "")]);
        for text in ["=b", "A", "A=1,,B=2", "A=1,B", "^;^A=1;;B=2"] {
            assert!(pairs(text).unwrap_err().contains("KEY=VALUE"), "{text}");
        }
    }

    #[test]
    fn a_list_that_is_none_is_refused() {
        for text in ["", ",", "^;^", "^;^;"] {
            assert!(
                pairs(text).unwrap_err().starts_with("the list is empty"),
                "{text}"
            );
        }
        assert!(pairs("^^A=1").unwrap_err().contains("empty delimiter"));
        assert!(pairs("A=1,2").unwrap_err().contains("^;^A=1,2;B=3"));
        assert!(names("A,,B").unwrap_err().contains("empty name"));
    }

    #[test]
    fn flags_add_up_and_a_key_is_given_once() {
        let lists = ["A=1,B=2", "C=3"].map(|text| pairs(text).unwrap());
        let expected = ["A", "B", "C"].map(str::to_owned).to_vec();
        assert_eq!(
            map(&lists).unwrap().into_keys().collect::<Vec<_>>(),
            expected
        );
        let twice = ["A=1", "A=2"].map(|text| pairs(text).unwrap());
        assert!(map(&twice).unwrap_err().starts_with("`A` is given twice"));
    }
}
