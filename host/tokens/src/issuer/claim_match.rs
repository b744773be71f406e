//! What a claim has to be: one value, or one of several, compared whole.

use std::fmt;

use serde_json::Value;

use crate::shown::Shown;
use crate::token::claims::Claims;

/// Asks that a claim be one of some values.
///
/// Values are compared whole and by type: nothing is a pattern, and `"1"` is not `1`. A claim that is a list matches if
/// one of its members does, as for groups.
///
/// ```
/// use host_tokens::{ClaimMatch, ClaimMatchError};
///
/// # fn main() -> Result<(), ClaimMatchError> {
/// // The claim `kubernetes.io` is an object, and its member `namespace` is one of these.
/// let namespace = ClaimMatch::new("/kubernetes.io/namespace", ["jobs", "tools"])?;
/// assert_eq!(namespace.claim(), "/kubernetes.io/namespace");
///
/// // Values are compared whole, so this would match no repository.
/// let pattern = ClaimMatch::new("repository", ["octo/*"]);
/// assert!(matches!(pattern, Err(ClaimMatchError::Pattern { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimMatch {
    claim: String,
    values: Vec<Value>,
}

/// What cannot be asked of a claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimMatchError {
    /// No claim is named.
    #[error(
        "a rule on claims names no claim; write the name of one, or the path to it, such as /kubernetes.io/namespace"
    )]
    NoClaim,
    /// No value is accepted.
    #[error("the rule on the claim {0} accepts no value; list at least one")]
    NoValue(Shown),
    /// A value that looks like a pattern.
    #[error(
        "the rule on the claim {claim} has {value}, but values are compared whole and * stands for itself; list each \
         value, or match a claim that names the whole group, such as repository_owner_id"
    )]
    Pattern {
        /// The claim.
        claim: Shown,
        /// The value.
        value: Shown,
    },
    /// A value that claims are not compared with.
    #[error(
        "the rule on the claim {claim} has {value}; expected a text, a whole number, true or false"
    )]
    Value {
        /// The claim.
        claim: Shown,
        /// The value.
        value: Shown,
    },
}

impl ClaimMatch {
    /// Asks that `claim` be one of `values`. The claim is a name or, if it starts with `/`, a path into objects as in
    /// RFC 6901 (JSON Pointer).
    ///
    /// # Errors
    /// If no claim or no value is given, or a value that could not match or looks like a pattern.
    pub fn new<V: Into<Value>>(
        claim: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Result<Self, ClaimMatchError> {
        let claim = claim.into();
        let values: Vec<Value> = values.into_iter().map(Into::into).collect();
        if claim.is_empty() || claim == "/" {
            return Err(ClaimMatchError::NoClaim);
        }
        if values.is_empty() {
            return Err(ClaimMatchError::NoValue(Shown::text(&claim)));
        }
        for value in &values {
            check(&claim, value)?;
        }
        Ok(Self { claim, values })
    }

    /// The claim, or the path to it.
    pub fn claim(&self) -> &str {
        &self.claim
    }

    /// Whether `claims` have what is asked.
    pub fn matches(&self, claims: &Claims) -> bool {
        match self.find(claims) {
            Some(Value::Array(list)) => list.iter().any(|value| self.values.contains(value)),
            Some(value) => self.values.contains(value),
            None => false,
        }
    }

    fn find<'a>(&self, claims: &'a Claims) -> Option<&'a Value> {
        let Some(path) = self.claim.strip_prefix('/') else {
            return claims.get(&self.claim);
        };
        let (first, rest) = match path.find('/') {
            Some(slash) => path.split_at(slash),
            None => (path, ""),
        };
        let name = first.replace("~1", "/").replace("~0", "~");
        claims.get(&name)?.pointer(rest)
    }

    /// The accepted values, as a message has them.
    pub(crate) fn expected(&self) -> String {
        let values: Vec<String> = self.values.iter().map(Value::to_string).collect();
        values.join(" or ")
    }

    /// What stands in `claims`, as a message shows it.
    pub(crate) fn found(&self, claims: &Claims) -> Shown {
        Shown::claim(self.find(claims))
    }
}

fn check(claim: &str, value: &Value) -> Result<(), ClaimMatchError> {
    let (claim, shown) = (Shown::text(claim), Shown::value(value));
    match value {
        Value::String(text) if text.contains('*') => Err(ClaimMatchError::Pattern {
            claim,
            value: shown,
        }),
        Value::String(_) | Value::Bool(_) => Ok(()),
        Value::Number(number) if !number.is_f64() => Ok(()),
        _ => Err(ClaimMatchError::Value {
            claim,
            value: shown,
        }),
    }
}

impl fmt::Display for ClaimMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.claim, self.expected())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn claims(value: &Value) -> Claims {
        Claims::new(value.as_object().unwrap().clone())
    }

    fn matches(claim: &str, values: &[Value], found: &Value) -> bool {
        let rule = ClaimMatch::new(claim, values.iter().cloned()).unwrap();
        rule.matches(&claims(found))
    }

    #[test]
    fn a_claim_matches_if_it_is_one_of_the_values() {
        let values = [json!("1234"), json!("5678")];
        assert!(matches(
            "repository_id",
            &values,
            &json!({"repository_id": "5678"})
        ));
        for other in [
            json!("567"),
            json!("56789"),
            json!(5678),
            json!(null),
            json!({}),
        ] {
            assert!(!matches(
                "repository_id",
                &values,
                &json!({"repository_id": other})
            ));
        }
        assert!(!matches("repository_id", &values, &json!({})));
    }

    #[test]
    fn a_list_matches_if_one_of_its_members_does() {
        let values = [json!("admins")];
        assert!(matches(
            "groups",
            &values,
            &json!({"groups": ["staff", "admins"]})
        ));
        assert!(!matches(
            "groups",
            &values,
            &json!({"groups": ["staff", ["admins"]]})
        ));
        assert!(!matches("groups", &values, &json!({"groups": []})));
    }

    #[test]
    fn booleans_and_whole_numbers_are_compared_by_type() {
        assert!(matches("ok", &[json!(true)], &json!({"ok": true})));
        assert!(!matches("ok", &[json!(true)], &json!({"ok": "true"})));
        assert!(matches("n", &[json!(7)], &json!({"n": 7})));
        assert!(!matches("n", &[json!(7)], &json!({"n": "7"})));
    }

    #[test]
    fn a_path_leads_into_objects() {
        let token = json!({"kubernetes.io": {"namespace": "prod", "a/b": "x"}, "/odd": "y"});
        assert!(matches(
            "/kubernetes.io/namespace",
            &[json!("prod")],
            &token
        ));
        assert!(matches("/kubernetes.io/a~1b", &[json!("x")], &token));
        assert!(matches("/~1odd", &[json!("y")], &token));
        assert!(!matches(
            "kubernetes.io/namespace",
            &[json!("prod")],
            &token
        ));
        assert!(!matches("/namespace", &[json!("prod")], &token));
    }

    #[test]
    fn a_pattern_is_refused_since_it_would_match_nothing_or_be_taken_for_more() {
        let error = ClaimMatch::new("sub", ["repo:org/*"]).unwrap_err();
        assert!(matches!(error, ClaimMatchError::Pattern { .. }), "{error}");
    }

    #[test]
    fn a_rule_that_asks_nothing_is_refused() {
        let none: [&str; 0] = [];
        assert!(matches!(
            ClaimMatch::new("sub", none),
            Err(ClaimMatchError::NoValue(_))
        ));
        assert_eq!(ClaimMatch::new("", ["x"]), Err(ClaimMatchError::NoClaim));
        assert_eq!(ClaimMatch::new("/", ["x"]), Err(ClaimMatchError::NoClaim));
        for value in [json!(null), json!(1.5), json!(["x"]), json!({"x": 1})] {
            let error = ClaimMatch::new("sub", [value]).unwrap_err();
            assert!(matches!(error, ClaimMatchError::Value { .. }), "{error}");
        }
    }
}
