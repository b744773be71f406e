use super::*;

fn settings() -> JobSettings {
    JobSettings {
        schedule: "0 * * * *".into(),
        uri: "http://127.0.0.1:8080/hello?key=secret".into(),
        ..JobSettings::default()
    }
}

#[track_caller]
fn refusal(change: impl FnOnce(&mut JobSettings)) -> String {
    let mut settings = settings();
    change(&mut settings);
    match Job::read(&settings) {
        Ok(job) => panic!("{job:?} is a job"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn defaults_are_those_of_cloud_scheduler() {
    let job = Job::read(&settings()).unwrap();
    assert_eq!(job.target.method, Method::POST);
    assert_eq!(job.deadline, Duration::from_secs(180));
    assert_eq!(job.retry.attempts, 0);
    assert_eq!(job.retry.min_backoff, Duration::from_secs(5));
    assert_eq!(job.retry.max_backoff, Duration::from_secs(3600));
    assert_eq!(job.retry.doublings, 5);
}

#[test]
fn the_audience_is_the_uri_without_its_query_unless_one_is_given() {
    let mut settings = settings();
    settings.oidc_account = Some("a@host.internal".into());
    let audience = |settings: &JobSettings| {
        Job::read(settings)
            .unwrap()
            .target
            .identity
            .unwrap()
            .audience
    };
    assert_eq!(audience(&settings), "http://127.0.0.1:8080/hello");
    settings.oidc_audience = Some("other".into());
    assert_eq!(audience(&settings), "other");
}

#[test]
fn each_limit_is_where_it_is_said_to_be() {
    let at = |change: fn(&mut JobSettings)| {
        let mut settings = settings();
        change(&mut settings);
        Job::read(&settings).map(drop)
    };
    assert_eq!(at(|job| job.description = "ä".repeat(500)), Ok(()));
    assert!(at(|job| job.description = "ä".repeat(501)).is_err());
    let uri = |length: usize| format!("http://a/{}", "x".repeat(length - 9));
    let mut longest = settings();
    longest.uri = uri(2083);
    assert!(Job::read(&longest).is_ok());
    longest.uri = uri(2084);
    assert!(Job::read(&longest).is_err());
    assert_eq!(at(|job| job.attempt_deadline = 15_000), Ok(()));
    assert!(at(|job| job.attempt_deadline = 14_999).is_err());
    assert_eq!(at(|job| job.attempt_deadline = 1_800_000), Ok(()));
    assert!(at(|job| job.attempt_deadline = 1_800_001).is_err());
    assert_eq!(at(|job| job.max_retry_attempts = 5), Ok(()));
    assert!(at(|job| job.max_retry_attempts = 6).is_err());
    assert!(at(|job| job.max_doublings = 17).is_err());
    assert!(at(|job| job.min_backoff = 3_600_001).is_err());
    let header = |size: usize| [("x-a".to_owned(), "x".repeat(size - 3))].into();
    let mut large = settings();
    large.headers = header(80 * 1024);
    assert!(Job::read(&large).is_ok());
    large.headers = header(80 * 1024 + 1);
    assert!(Job::read(&large).is_err());
    assert!(at(|job| job.body = Some("A".repeat(1024 * 1024))).is_err());
    assert_eq!(at(|job| job.body = Some("A".repeat(1_000_000))), Ok(()));
}

#[test]
fn a_target_is_a_url_of_http_without_credentials() {
    for uri in [
        "",
        "hello",
        "/hello",
        "ftp://a/",
        "http://",
        "http://:80/",
        "http://u:p@a/",
        "http://a b/",
    ] {
        let refusal = refusal(|job| job.uri = uri.into());
        assert!(refusal.contains("is not a target: "), "{uri}: {refusal}");
    }
    assert!(!refusal(|job| job.uri = "ftp://a/?secret".into()).contains("secret"));
    for uri in [
        "http://a",
        "https://a:8443/b?c",
        "HTTP://a/",
        "http://[::1]:80/",
        "http://[::1]/",
    ] {
        let mut settings = settings();
        settings.uri = uri.into();
        assert!(Job::read(&settings).is_ok(), "{uri}");
    }
}

#[test]
fn bodies_go_with_methods_that_have_one() {
    for method in ["get", "HEAD", "delete", "options"] {
        let refusal = refusal(|job| {
            job.http_method = method.into();
            job.body = Some("YQ==".into());
        });
        assert!(refusal.contains("has no body"), "{refusal}");
    }
    assert!(refusal(|job| job.http_method = "CONNECT".into()).contains("not a method"));
    assert!(refusal(|job| job.body = Some("?".into())).contains("base64"));
}

#[test]
fn headers_that_the_host_sets_are_refused() {
    for name in [
        "Host",
        "content-length",
        "X-CloudScheduler",
        "X-CloudScheduler-JobName",
        "a b",
        "",
    ] {
        let refusal = refusal(|job| job.headers = [(name.to_owned(), "1".to_owned())].into());
        assert!(refusal.starts_with("the header"), "{name}: {refusal}");
    }
    let refusal = refusal(|job| job.headers = [("x".to_owned(), "a\r\nb: c".to_owned())].into());
    assert!(refusal.contains("cannot be sent"), "{refusal}");
}

#[test]
fn an_audience_needs_an_account() {
    assert!(
        refusal(|job| job.oidc_audience = Some("a".into()))
            .contains("--oidc-service-account-email")
    );
}
