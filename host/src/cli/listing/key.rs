//! Keys that lead into what is listed: `httpTarget.uri`, `invokers[0]`, `bindings[].members`.

use std::str::FromStr;

use serde_json::{Map, Value};

/// A dotted key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Item(usize),
    EachItem,
}

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is not a key; expected one such as name, httpTarget.uri or invokers[0]"
            )
        };
        if let Some(call) = text.strip_suffix(')') {
            let transform = call.split('(').next().unwrap_or_default();
            let transform = transform.rsplit('.').next().unwrap_or_default();
            return Err(format!(
                "the transform {transform}() is not known here; name plain keys, and change what they hold with jq: \
                 --format json"
            ));
        }
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, items) = part.split_at(part.find('[').unwrap_or(part.len()));
            let is_name = |c: char| c.is_alphanumeric() || "_-/@".contains(c);
            let is_closed = items.is_empty() || items.ends_with(']');
            if name.is_empty() || !name.chars().all(is_name) || !is_closed {
                return Err(wrong());
            }
            steps.push(Step::Member(name.to_owned()));
            for item in items.split_terminator(']') {
                let index = item.strip_prefix('[').ok_or_else(wrong)?;
                steps.push(match index {
                    "" => Step::EachItem,
                    index => Step::Item(index.parse().map_err(|_| wrong())?),
                });
            }
        }
        Ok(Self(steps))
    }
}

impl Key {
    /// What it leads to in `value`.
    pub(super) fn find(&self, value: &Value) -> Option<Value> {
        follow(&self.0, value)
    }

    /// Puts `found` into `document` where this key leads, objects on the way included. What another key has put there
    /// stays: a list or a value has no place for a member.
    pub(super) fn place(&self, mut document: &mut Value, found: Value) {
        for step in &self.0 {
            let Step::Member(name) = step else { continue };
            if document.is_null() {
                *document = Value::Object(Map::new());
            }
            let Value::Object(members) = document else {
                return;
            };
            document = members.entry(name.as_str()).or_insert(Value::Null);
        }
        *document = found;
    }

    /// The last name in it.
    pub(super) fn last_name(&self) -> &str {
        let names = self.0.iter().rev().find_map(|step| match step {
            Step::Member(name) => Some(name.as_str()),
            _ => None,
        });
        names.unwrap_or_default()
    }
}

fn follow(steps: &[Step], value: &Value) -> Option<Value> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(value.clone());
    };
    match step {
        Step::Member(name) => follow(rest, member(value, name)?),
        Step::Item(index) => follow(rest, value.get(index)?),
        Step::EachItem => {
            let items = value.as_array()?.iter();
            Some(items.filter_map(|item| follow(rest, item)).collect())
        }
    }
}

/// The member called `name`, also where that is written as `http_target`.
fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let members = value.as_object()?;
    members.get(name).or_else(|| {
        let wanted = name.contains('_').then(|| name.replace('_', ""))?;
        let mut members = members.iter();
        let same = members.find(|(key, _)| key.eq_ignore_ascii_case(&wanted));
        same.map(|(_, value)| value)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_leads_to_members_and_items() {
        let value = json!({"name": "j", "httpTarget": {"uri": "u"}, "list": [{"a": 1}, {"a": 2}]});
        let find = |key: &str| key.parse::<Key>().unwrap().find(&value);
        assert_eq!(find("name"), Some(json!("j")));
        assert_eq!(find("httpTarget.uri"), Some(json!("u")));
        assert_eq!(find("http_target.uri"), Some(json!("u")));
        assert_eq!(find("list[1].a"), Some(json!(2)));
        assert_eq!(find("list[].a"), Some(json!([1, 2])));
        for missing in ["none", "name.x", "list[2]", "httpTarget[0]"] {
            assert_eq!(find(missing), None, "{missing}");
        }
    }

    #[test]
    fn what_keys_lead_to_is_placed_whatever_their_order() {
        let item = json!({"bindings": [{"role": "r", "members": ["m"]}], "name": "n"});
        for (keys, expected) in [
            (
                &["bindings", "bindings[0].role"][..],
                json!({"bindings": [{"role": "r", "members": ["m"]}]}),
            ),
            (
                &["bindings[0].role", "bindings"],
                json!({"bindings": [{"role": "r", "members": ["m"]}]}),
            ),
            (
                &["bindings[0].role", "name"],
                json!({"bindings": {"role": "r"}, "name": "n"}),
            ),
            (
                &["bindings[0].role", "bindings[].members"],
                json!({"bindings": {"role": "r", "members": [["m"]]}}),
            ),
        ] {
            let mut document = Value::Null;
            for key in keys {
                let key: Key = key.parse().unwrap();
                key.place(&mut document, key.find(&item).unwrap());
            }
            assert_eq!(document, expected, "{keys:?}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_a_transform_is_named() {
        for text in ["", "a..b", "a b", "a[x]", "[0]", "a[0"] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
        let refused = "createTime.date(tz=UTC)".parse::<Key>().unwrap_err();
        assert!(refused.contains("date()"), "{refused}");
    }
}
