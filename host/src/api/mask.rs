//! Field masks: which fields of a resource a request changes.
//!
//! <https://protobuf.dev/reference/protobuf/google.protobuf/#field-mask>. Clients write paths in camelCase or snake_case.

use serde_json::{Map, Value};

use super::Status;

/// The most paths in a mask.
const MOST_PATHS: usize = 100;
/// The most parts of a path.
const MOST_PARTS: usize = 10;

/// The fields that are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mask(Vec<Vec<String>>);

impl Mask {
    /// Reads the paths of `text`, which commas divide. None if there is no path in it.
    ///
    /// # Errors
    /// If a path is empty or there are too many.
    pub(crate) fn read(text: &str) -> Result<Option<Self>, Status> {
        let paths: Vec<&str> = text.split(',').map(str::trim).collect();
        if paths == [""] {
            return Ok(None);
        }
        if paths.len() > MOST_PATHS {
            return Err(Status::invalid(format!(
                "updateMask has {} paths; expected at most {MOST_PATHS}",
                paths.len()
            )));
        }
        let paths = paths.into_iter().map(path);
        Ok(Some(Self(paths.collect::<Result<_, _>>()?)))
    }

    /// Whether `path`, in camelCase, or a part of it or the whole that it is in, is named.
    pub(crate) fn names(&self, path: &str) -> bool {
        let wanted: Vec<&str> = path.split('.').collect();
        self.0.iter().any(|named| {
            let both = named.iter().zip(&wanted);
            named[0] == "*" || both.into_iter().all(|(one, other)| one == other)
        })
    }

    /// The named paths that `is_known` does not know.
    ///
    /// # Errors
    /// If there is one, naming it.
    pub(crate) fn check(&self, is_known: impl Fn(&str) -> bool) -> Result<(), Status> {
        let unknown = self
            .0
            .iter()
            .find(|path| !is_known(&path[0]) && path[0] != "*");
        match unknown {
            None => Ok(()),
            Some(path) => Err(Status::invalid(format!(
                "updateMask names `{}`, which is no field that can be changed",
                path.join(".")
            ))),
        }
    }

    /// Gives the named fields of `resource` the values that they have in `new`. One that is not in `new` is removed.
    pub(crate) fn apply(&self, resource: &mut Value, new: &Value) {
        for path in &self.0 {
            match path[0].as_str() {
                "*" => replace(resource, new),
                _ => set(resource, path, new),
            }
        }
    }
}

/// Gives `resource` all fields of `new`, and keeps what else it has.
pub(crate) fn replace(resource: &mut Value, new: &Value) {
    if let (Value::Object(resource), Value::Object(new)) = (resource, new) {
        resource.extend(new.clone());
    }
}

fn path(text: &str) -> Result<Vec<String>, Status> {
    let parts: Vec<String> = text.split('.').map(camel_case).collect();
    if parts.len() > MOST_PARTS || parts.iter().any(String::is_empty) {
        return Err(Status::invalid(format!(
            "updateMask has the path `{text}`; expected names with dots between them, such as httpTarget.uri"
        )));
    }
    Ok(parts)
}

/// `http_target` as `httpTarget`.
fn camel_case(name: &str) -> String {
    let mut result = String::with_capacity(name.len());
    let mut is_next_upper = false;
    for c in name.chars() {
        match c {
            '_' => is_next_upper = true,
            c if std::mem::take(&mut is_next_upper) => result.extend(c.to_uppercase()),
            c => result.push(c),
        }
    }
    result
}

fn set(resource: &mut Value, path: &[String], new: &Value) {
    let Some((name, rest)) = path.split_first() else {
        *resource = new.clone();
        return;
    };
    let new = new.get(name);
    if !resource.is_object() {
        *resource = Value::Object(Map::new());
    }
    let Value::Object(fields) = resource else {
        return;
    };
    match (new, rest.is_empty()) {
        (None | Some(Value::Null), true) => drop(fields.remove(name)),
        (Some(new), _) => {
            let field = fields.entry(name.clone()).or_insert(Value::Null);
            set(field, rest, new);
        }
        (None, false) => {
            if let Some(field) = fields.get_mut(name) {
                set(field, rest, &Value::Null);
                // What has lost all its fields is not there any more.
                if field.as_object().is_some_and(Map::is_empty) {
                    fields.remove(name);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn applied(mask: &str, resource: Value, new: Value) -> Value {
        let mut resource = resource;
        Mask::read(mask)
            .unwrap()
            .unwrap()
            .apply(&mut resource, &new);
        resource
    }

    #[test]
    fn only_the_named_fields_change_in_either_spelling() {
        for mask in ["schedule,httpTarget.uri", "schedule,http_target.uri"] {
            let job = json!({ "schedule": "a", "timeZone": "b", "httpTarget": { "uri": "c", "body": "d" } });
            let new = json!({ "schedule": "1", "timeZone": "2", "httpTarget": { "uri": "3", "body": "4" } });
            assert_eq!(
                applied(mask, job, new),
                json!({ "schedule": "1", "timeZone": "b", "httpTarget": { "uri": "3", "body": "d" } })
            );
        }
    }

    #[test]
    fn a_named_field_that_is_absent_is_cleared() {
        let job = json!({ "httpTarget": { "uri": "u", "oidcToken": { "serviceAccountEmail": "e", "audience": "a" } } });
        let mask = "httpTarget.oidcToken.serviceAccountEmail,httpTarget.oidcToken.audience,httpTarget.oauthToken.scope";
        assert_eq!(
            applied(mask, job, json!({ "httpTarget": { "uri": "x" } })),
            json!({ "httpTarget": { "uri": "u" } })
        );
    }

    #[test]
    fn bounds_and_malformed_paths_are_refused() {
        assert_eq!(Mask::read("").unwrap(), None);
        let many = ["a"; MOST_PATHS + 1].join(",");
        let deep = ["a"; MOST_PARTS + 1].join(".");
        for text in [&*many, &*deep, "a..b", "a,,b", "."] {
            assert!(Mask::read(text).is_err(), "{text}");
        }
        let mask = Mask::read("schedule,other.part").unwrap().unwrap();
        let error = mask.check(|name| name == "schedule").unwrap_err();
        assert!(error.message.contains("other.part"), "{error}");
        assert!(mask.names("schedule") && mask.names("other") && !mask.names("timeZone"));
    }
}
