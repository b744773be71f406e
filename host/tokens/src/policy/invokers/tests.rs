//! Who is let in, and who only looks like it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::issuer::config::{IssuerConfig, ServiceAccounts};
use crate::policy::member::MemberError;
use crate::tests::forge::{self, claims_with, config, token};

fn members(members: &[&str]) -> Invokers {
    let read = |text: &&str| Invoker::Member(text.parse().unwrap());
    Invokers::new(members.iter().map(read).collect())
}

/// A caller with a good token of the outside issuer.
fn caller(changes: &Value) -> Verified {
    forge::judge_claims(changes).unwrap()
}

/// A caller with a good token of this issuer.
fn caller_of(issuer: &str, changes: &Value) -> Verified {
    let config = IssuerConfig {
        issuer: issuer.parse().unwrap(),
        ..config()
    };
    let mut claims = claims_with(changes);
    claims["iss"] = issuer.into();
    forge::judge(config, &token(&claims)).unwrap()
}

/// A caller with a good token of the host's own issuer, for `caller@host.internal`.
fn own_caller(changes: &Value) -> Verified {
    let accounts = [(
        "100000000000000000001".to_owned(),
        "caller@host.internal".to_owned(),
    )];
    let config = IssuerConfig {
        service_accounts: Some(Arc::new(accounts.into_iter().collect::<ServiceAccounts>())),
        ..config()
    };
    let mut claims = claims_with(changes);
    claims["sub"] = "100000000000000000001".into();
    forge::judge(config, &token(&claims)).unwrap()
}

fn rule(issuer: &str, claims: &[(&str, &[&str])]) -> Invokers {
    let claims = claims
        .iter()
        .map(|(claim, values)| ClaimMatch::new(*claim, values.iter().copied()).unwrap());
    let rule = ClaimRule::new(issuer.parse().unwrap(), claims.collect()).unwrap();
    Invokers::new(vec![Invoker::Rule(rule)])
}

#[test]
fn by_default_nobody_is_let_in() {
    let nobody = Invokers::default();
    assert!(!nobody.is_open());
    assert!(nobody.admit(&caller(&json!({}))).is_err());
}

#[test]
fn a_principal_is_issuer_and_subject_together() {
    let invokers = members(&["principal:https://issuer.example#subject-1"]);
    assert!(invokers.admit(&caller(&json!({}))).is_ok());
    for sub in ["subject-2", "subject-10", "SUBJECT-1", "subject-1 "] {
        assert!(
            invokers.admit(&caller(&json!({"sub": sub}))).is_err(),
            "{sub}"
        );
    }
    let elsewhere = caller_of("https://other.example", &json!({}));
    assert!(invokers.admit(&elsewhere).is_err());
}

#[test]
fn a_user_needs_an_address_that_is_verified_in_so_many_words() {
    let invokers = members(&["user:alice@example.com"]);
    let admitted = |email: &str, verified: Value| {
        let changes = json!({"email": email, "email_verified": verified});
        invokers.admit(&caller(&changes)).is_ok()
    };
    assert!(admitted("alice@example.com", json!(true)));
    for verified in [json!(false), json!("true"), json!(null)] {
        assert!(!admitted("alice@example.com", verified));
    }
    for other in [
        "аlice@example.com",
        "alice@exampIe.com",
        "alice@sub.example.com",
        "alice@example.com.evil.example",
        "alice@example.co",
        "malice@example.com",
        "Alice@example.com",
    ] {
        assert!(!admitted(other, json!(true)), "{other}");
    }
}

#[test]
fn a_service_account_is_one_of_this_host_and_of_nobody_elses() {
    let invokers = members(&["serviceAccount:caller@host.internal"]);
    assert!(invokers.admit(&own_caller(&json!({}))).is_ok());
    let email = json!({"email": "caller@host.internal", "email_verified": true});
    assert!(invokers.admit(&own_caller(&email)).is_ok());
    // The same claims from an outside issuer.
    let same_subject = json!({
        "email": "caller@host.internal",
        "email_verified": true,
        "sub": "100000000000000000001",
    });
    for claims in [email, same_subject] {
        let impostor = caller(&claims);
        assert_eq!(impostor.service_account, None);
        assert!(invokers.admit(&impostor).is_err());
    }
}

#[test]
fn a_service_account_of_this_host_is_no_user() {
    let invokers = members(&["user:caller@host.internal"]);
    let own = own_caller(&json!({"email": "caller@host.internal", "email_verified": true}));
    assert!(invokers.admit(&own).is_err());
}

#[test]
fn a_repository_of_another_owner_is_not_let_in_by_a_name_that_begins_alike() {
    let pattern = "principal:https://issuer.example#repo:org/*".parse::<Member>();
    assert!(matches!(pattern, Err(MemberError::Subject(_))));
    let pattern = ClaimMatch::new("sub", ["repo:org/*"]);
    assert!(pattern.is_err());
    let invokers = rule(forge::ISSUER, &[("repository_owner", &["org"])]);
    let from = |owner: &str| {
        let sub = format!("repo:{owner}/app:ref:refs/heads/main");
        caller(&json!({"sub": sub, "repository_owner": owner}))
    };
    assert!(invokers.admit(&from("org")).is_ok());
    for other in ["org-evil", "org/x", "Org", ""] {
        assert!(invokers.admit(&from(other)).is_err(), "{other}");
    }
}

#[test]
fn a_rule_asks_for_all_of_its_claims_and_one_value_of_each() {
    let invokers = rule(
        forge::ISSUER,
        &[
            ("repository_id", &["1234"]),
            ("ref", &["refs/heads/main", "refs/heads/release"]),
        ],
    );
    let admitted = |id: &str, branch: Value| {
        invokers
            .admit(&caller(&json!({"repository_id": id, "ref": branch})))
            .is_ok()
    };
    assert!(admitted("1234", json!("refs/heads/main")));
    assert!(admitted("1234", json!("refs/heads/release")));
    assert!(!admitted("1234", json!("refs/heads/main2")));
    assert!(!admitted("1234", json!(null)));
    assert!(!admitted("12345", json!("refs/heads/main")));
    let elsewhere = json!({"repository_id": "1234", "ref": "refs/heads/main"});
    assert!(
        invokers
            .admit(&caller_of("https://other.example", &elsewhere))
            .is_err()
    );
}

#[test]
fn a_rule_that_asks_for_nothing_is_refused() {
    let issuer: IssuerUrl = forge::ISSUER.parse().unwrap();
    assert_eq!(
        ClaimRule::new(issuer.clone(), vec![]),
        Err(EmptyRule(issuer))
    );
}

#[test]
fn all_users_let_everybody_in() {
    let invokers = members(&["user:alice@example.com", "allUsers"]);
    assert!(invokers.is_open());
    assert!(invokers.admit(&caller(&json!({}))).is_ok());
    assert!(!members(&["user:alice@example.com"]).is_open());
}

#[test]
fn who_is_not_let_in_is_told_by_the_name_to_add() {
    let nobody = Invokers::default();
    let name = |caller: &Verified| nobody.admit(caller).unwrap_err().member;
    assert_eq!(
        name(&caller(&json!({}))).to_string(),
        "principal:https://issuer.example#subject-1"
    );
    let user = caller(&json!({"email": "alice@example.com", "email_verified": true}));
    assert_eq!(name(&user).to_string(), "user:alice@example.com");
    assert_eq!(
        name(&own_caller(&json!({}))).to_string(),
        "serviceAccount:caller@host.internal"
    );
    let added = Invokers::new(vec![Invoker::Member(name(&user))]);
    assert!(added.admit(&user).is_ok());
    assert_eq!(
        nobody.admit(&user).unwrap_err().to_string(),
        "user:alice@example.com is not an invoker of this function"
    );
}

#[test]
fn rules_and_members_are_shown_as_they_are_written() {
    let invokers = rule(forge::ISSUER, &[("a", &["x", "y"]), ("b", &["z"])]);
    let shown: Vec<String> = invokers.0.iter().map(ToString::to_string).collect();
    let expected = r#"claims of https://issuer.example: a = "x" or "y", b = "z""#;
    assert_eq!(shown, [expected]);
}
