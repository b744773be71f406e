//! What is shown of a job: what its methods answer, by its short name and with the names of codes.

use serde_json::{Value, json};

use crate::store::last_of_full_name;

/// What the methods call a job whose record cannot be read, and what it is called here.
const DAMAGED: [&str; 2] = ["UPDATE_FAILED", "DAMAGED"];
/// Fields that are of use to programs only.
const LEFT_OUT: [&str; 2] = ["declaredIn", "secretHeaders"];

/// `job`, as it was answered, as it is shown.
pub(super) fn value(mut job: Value) -> Value {
    let Value::Object(fields) = &mut job else {
        return job;
    };
    fields.retain(|name, _| !LEFT_OUT.contains(&name.as_str()));
    for (name, value) in fields {
        match name.as_str() {
            "name" => {
                let short = last_of_full_name(text(value), "jobs").map(|short| json!(short));
                *value = short.unwrap_or_else(|| value.clone());
            }
            "state" if text(value) == DAMAGED[0] => *value = json!(DAMAGED[1]),
            "status" => {
                if let Value::Object(status) = value
                    && let Some(code) = status.remove("codeName")
                {
                    status.insert("code".into(), code);
                }
            }
            _ => {}
        }
    }
    job
}

/// The location in the full name of `job`, as it was answered.
pub(super) fn location(job: &Value) -> &str {
    let mut parts = text(&job["name"]).split('/');
    parts.find(|part| *part == "locations");
    parts.next().unwrap_or_default()
}

/// `value` if it is a text, or else none.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_shown_by_its_short_name_and_with_names_of_codes() {
        let answered = json!({
            "name": "projects/p/locations/here/jobs/j", "state": "UPDATE_FAILED", "secretHeaders": ["A"],
            "status": { "code": 4, "codeName": "DEADLINE_EXCEEDED", "message": "it took too long" },
        });
        assert_eq!(location(&answered), "here");
        let shown = json!({
            "name": "j", "state": "DAMAGED",
            "status": { "code": "DEADLINE_EXCEEDED", "message": "it took too long" },
        });
        assert_eq!(value(answered), shown);
    }

    #[test]
    fn what_is_no_job_is_shown_as_it_came() {
        for other in [json!([1]), json!({ "name": 7, "status": "?" }), Value::Null] {
            assert_eq!(location(&other), "");
            value(other);
        }
    }
}
