//! Which forms are requests for an exchange, and what is answered.

use super::*;

/// What Google's clients send, by name.
const SENT: [(&str, &str); 6] = [
    ("grant_type", GRANT_TYPE),
    (
        "audience",
        "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/github/providers/gh",
    ),
    ("scope", "https://www.googleapis.com/auth/cloud-platform"),
    ("requested_token_type", ACCESS_TOKEN),
    ("subject_token", "github.oidc.jwt"),
    ("subject_token_type", JWT),
];

fn form(parameters: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(parameters).finish()
}

/// The form of Google's clients with another value of one parameter, or without it.
fn sent_but(name: &str, value: Option<&str>) -> String {
    let others = SENT.into_iter().filter(|(other, _)| *other != name);
    let changed = value.map(|value| (name, value));
    form(&others.chain(changed).collect::<Vec<_>>())
}

fn read(form: &str) -> Result<String, ExchangeErrorCode> {
    let request = ExchangeRequest::read(form.as_bytes());
    request
        .map(|request| request.subject_token)
        .map_err(|error| {
            let is_plain = |byte: u8| (0x20..0x7f).contains(&byte) && !b"\"\\".contains(&byte);
            assert!(error.description.bytes().all(is_plain), "{error}");
            error.code
        })
}

#[test]
fn what_googles_clients_send_is_a_request() {
    assert_eq!(read(&form(&SENT)).unwrap(), "github.oidc.jwt");
    for form in [
        sent_but("subject_token_type", Some(ID_TOKEN)),
        sent_but("requested_token_type", None),
        sent_but("requested_token_type", Some("")),
        sent_but("audience", None),
        sent_but(
            "audience",
            Some("//host.internal/workloadIdentityPools/github/providers/gh"),
        ),
        sent_but("options", Some("{\"userProject\":\"1\"}")),
        format!(
            "{}&audience=a&audience=b&resource=c&resource=d",
            form(&SENT)
        ),
    ] {
        assert_eq!(read(&form).unwrap(), "github.oidc.jwt", "{form}");
    }
}

#[test]
fn what_is_missing_twice_there_or_not_supported_is_refused() {
    use ExchangeErrorCode::{InvalidRequest, UnsupportedGrantType};
    for (form, code) in [
        (String::new(), InvalidRequest),
        ("{}".to_owned(), InvalidRequest),
        (sent_but("grant_type", None), InvalidRequest),
        (sent_but("grant_type", Some("")), InvalidRequest),
        (
            sent_but("grant_type", Some("refresh_token")),
            UnsupportedGrantType,
        ),
        (
            sent_but(
                "grant_type",
                Some("urn:ietf:params:oauth:grant-type:jwt-bearer"),
            ),
            UnsupportedGrantType,
        ),
        (sent_but("subject_token", None), InvalidRequest),
        (sent_but("subject_token", Some("")), InvalidRequest),
        (sent_but("subject_token_type", None), InvalidRequest),
        (
            sent_but("subject_token_type", Some(ACCESS_TOKEN)),
            InvalidRequest,
        ),
        (
            sent_but(
                "subject_token_type",
                Some("urn:ietf:params:oauth:token-type:saml2"),
            ),
            InvalidRequest,
        ),
        (
            sent_but("requested_token_type", Some(ID_TOKEN)),
            InvalidRequest,
        ),
        (sent_but("actor_token", Some("a.b.c")), InvalidRequest),
        (sent_but("actor_token_type", Some(JWT)), InvalidRequest),
        (
            format!("{}&subject_token=other", form(&SENT)),
            InvalidRequest,
        ),
        (format!("{}&scope=other", form(&SENT)), InvalidRequest),
    ] {
        assert_eq!(read(&form), Err(code), "{form}");
    }
}

#[test]
fn a_form_is_bounded_in_bytes_and_parameters() {
    let short = sent_but("subject_token", Some(""));
    let token = "x".repeat(LONGEST_FORM - short.len());
    let longest = sent_but("subject_token", Some(&token));
    assert_eq!(longest.len(), LONGEST_FORM);
    assert_eq!(read(&longest), Ok(token));
    assert_eq!(
        read(&format!("{longest}x")),
        Err(ExchangeErrorCode::InvalidRequest)
    );
    let more = "&resource=a".repeat(MOST_PARAMETERS - SENT.len());
    let most = format!("{}{more}", form(&SENT));
    assert!(read(&most).is_ok());
    assert_eq!(
        read(&format!("{most}&a=b")),
        Err(ExchangeErrorCode::InvalidRequest)
    );
}

#[test]
fn answers_are_as_the_standards_have_them_and_show_no_token_in_a_trace() {
    let answer = ExchangeAnswer {
        access_token: "secret".to_owned(),
        lifetime: Duration::from_secs(600),
    };
    let expected = json!({
        "access_token": "secret",
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": 600,
    });
    assert_eq!(answer.to_json(), expected);
    let request = ExchangeRequest::read(sent_but("subject_token", Some("secret")).as_bytes());
    assert!(!format!("{answer:?} {request:?}").contains("secret"));
    let error = ExchangeError::new(ExchangeErrorCode::InvalidGrant, "it is refused");
    let expected = json!({"error": "invalid_grant", "error_description": "it is refused"});
    assert_eq!(error.to_json(), expected);
    assert_eq!(error.code.status(), 400);
}
