//! The header of a token: the algorithm, the name of the key, the type; and what must not stand there.

use serde_json::Value;

use crate::algorithm::Algorithm;
use crate::judge::refusal::Refusal;
use crate::shown::Shown;
use crate::token::json::{Object, kind};

/// What is used of a header (RFC 7515, section 4).
///
/// Keys and addresses of keys (`jwk`, `jku`, `x5u`, `x5c`) may stand there and are not used: a token does not say whom
/// to trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<String>,
    pub(crate) kind: Option<String>,
}

/// The longest name of a key, in bytes.
const LONGEST_KEY_ID: usize = 256;

/// Members that change what is signed or how it is read. None is understood, so none may be passed over, whatever its
/// value: `crit` because it can name nothing that is understood, `b64` (RFC 7797) because it means nothing without
/// `crit`.
const EXTENSIONS: [(&str, &str); 4] = [
    ("crit", "critical extensions (crit)"),
    ("b64", "a payload that is not encoded (b64)"),
    ("zip", "compression (zip)"),
    ("enc", "encryption (enc)"),
];

impl Header {
    pub(crate) fn read(members: &Object) -> Result<Self, Refusal> {
        for (name, what) in EXTENSIONS {
            if members.contains_key(name) {
                return Err(Refusal::HeaderExtension(what));
            }
        }
        check_unused(members)?;
        refuse_nested(text(members, "cty")?)?;
        Ok(Self {
            algorithm: algorithm(members)?,
            key_id: key_id(members)?,
            kind: text(members, "typ")?.map(str::to_owned),
        })
    }
}

/// What is not used has at least to be of its type (RFC 7515, sections 4.1.2 to 4.1.8): a header that is malformed was
/// not made by an issuer that can be relied upon.
fn check_unused(members: &Object) -> Result<(), Refusal> {
    for name in ["jku", "x5u", "x5t", "x5t#S256"] {
        text(members, name)?;
    }
    let is_chain = |value: &Value| {
        let list = value.as_array();
        list.is_some_and(|list| list.iter().all(Value::is_string))
    };
    for (name, fits) in [
        ("jwk", &Value::is_object as &dyn Fn(&Value) -> bool),
        ("x5c", &is_chain),
    ] {
        if let Some(value) = members.get(name).filter(|value| !fits(value)) {
            return Err(Refusal::HeaderMember {
                name,
                found: kind(value),
            });
        }
    }
    Ok(())
}

fn algorithm(members: &Object) -> Result<Algorithm, Refusal> {
    let Some(name) = text(members, "alg")? else {
        return Err(Refusal::HeaderMember {
            name: "alg",
            found: "missing",
        });
    };
    name.parse().map_err(|_| {
        let shown = Shown::text(name);
        if name.trim().is_empty() || name.eq_ignore_ascii_case("none") {
            Refusal::Unsigned(shown)
        } else if name
            .get(..2)
            .is_some_and(|start| start.eq_ignore_ascii_case("HS"))
        {
            Refusal::Symmetric(shown)
        } else {
            Refusal::UnknownAlgorithm(shown)
        }
    })
}

fn key_id(members: &Object) -> Result<Option<String>, Refusal> {
    let Some(id) = text(members, "kid")? else {
        return Ok(None);
    };
    if id.is_empty() || id.len() > LONGEST_KEY_ID || id.chars().any(char::is_control) {
        return Err(Refusal::KeyId(Shown::text(id)));
    }
    Ok(Some(id.to_owned()))
}

/// Whether `id` looks like the name of a key and not like a path, a query or a command: the shape of every name that
/// the providers known give, base64 with its slashes among them.
pub(crate) fn is_plausible_key_id(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~:@+=".contains(&byte);
    let is_base64 = || id.len() >= 20 && id.len().is_multiple_of(4) && !id.contains('.');
    id.len() <= LONGEST_KEY_ID
        && !id.contains("..")
        && id.bytes().all(|byte| plain(byte) || byte == b'/')
        && (!id.contains('/') || is_base64())
}

/// A JWT within a JWT says so with `cty` (RFC 7519, section 5.2).
fn refuse_nested(content: Option<&str>) -> Result<(), Refusal> {
    let Some(content) = content else {
        return Ok(());
    };
    let kind = media_type(content);
    if kind == "jwt" || kind.ends_with("+jwt") {
        return Err(Refusal::Nested(Shown::text(content)));
    }
    Ok(())
}

/// A media type as `typ` and `cty` have it, where `application/` may be left out (RFC 7515, section 4.1.9).
pub(crate) fn media_type(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    match lower.strip_prefix("application/") {
        Some(rest) => rest.to_owned(),
        None => lower,
    }
}

fn text<'a>(members: &'a Object, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => Err(Refusal::HeaderMember {
            name,
            found: kind(other),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_that_providers_give_their_keys_are_plausible() {
        for id in [
            "e863fe292fa2a2967cd7551c42a1211bcac55071",
            "cc413527-173f-5a05-976e-9c52b1d7b431",
            "DW2uREhYV2YF8oX0B9VpH+0zv0/V8rV8JxO5PI3B3ic=",
            "1LTMzakihiRla_8z2BEJVXeWMqo",
            "public:hydra.openid.id-token",
            "sig-2024-01-01T00:00:00Z",
            "1",
        ] {
            assert!(is_plausible_key_id(id), "{id}");
        }
    }

    #[test]
    fn paths_queries_and_commands_are_not() {
        for id in [
            "../../../../../../dev/null",
            "/dev/null",
            "..",
            "a..b",
            "C:\\keys\\1",
            "' OR '1'='1",
            "x' UNION SELECT 'key';--",
            "1|whoami",
            "$(id)",
            "a b",
            "ключ",
            "https://evil.example/key.json",
            "a\0b",
        ] {
            assert!(!is_plausible_key_id(id), "{id}");
        }
    }

    #[test]
    fn media_types_are_compared_without_case_and_prefix() {
        assert_eq!(media_type("JWT"), "jwt");
        assert_eq!(media_type("Application/At+JWT"), "at+jwt");
        assert_eq!(media_type("text/jwt"), "text/jwt");
    }
}
