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

#[track_caller]
fn not_accepted(change: impl FnOnce(&mut JobSettings)) -> String {
    let mut settings = settings();
    change(&mut settings);
    // Jobs that were kept before such things were refused go on.
    assert!(Job::read(&settings).is_ok());
    match Job::accept(&settings) {
        Ok(job) => panic!("{job:?} is accepted"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn fields_that_would_be_replaced_are_refused() {
    for name in [
        "traceparent",
        "TraceParent",
        "tracestate",
        "Expect",
        "Keep-Alive",
        "Proxy-Connection",
        "TE",
        "Trailer",
    ] {
        let refusal = not_accepted(|job| job.headers = [(name.to_owned(), "1".to_owned())].into());
        assert!(refusal.contains("is set by the"), "{name}: {refusal}");
    }
    let refusal = not_accepted(|job| {
        job.headers = [("authorization".to_owned(), "Basic x".to_owned())].into();
        job.oidc_account = Some("a@host.internal".into());
    });
    assert!(refusal.contains("service account's token"), "{refusal}");
    let mut others = settings();
    for name in [
        "Authorization",
        "User-Agent",
        "Content-Type",
        "X-Request-Id",
        "baggage",
    ] {
        others.headers.insert(name.into(), "1".into());
    }
    assert!(Job::accept(&others).is_ok());
}

#[test]
fn a_field_is_given_once_whatever_its_case() {
    let refusal = not_accepted(|job| {
        job.headers = ["Content-Type", "content-type"]
            .map(|name| (name.to_owned(), "a/b".to_owned()))
            .into();
    });
    assert_eq!(
        refusal,
        "the header `content-type` is given twice; its case does not count"
    );
}

#[test]
fn what_is_empty_is_refused() {
    let refusals = [
        not_accepted(|job| job.headers = [("x-token".to_owned(), String::new())].into()),
        not_accepted(|job| job.body = Some(String::new())),
        not_accepted(|job| job.oidc_account = Some(String::new())),
        not_accepted(|job| {
            job.oidc_account = Some("a@host.internal".into());
            job.oidc_audience = Some(" ".into());
        }),
    ];
    for refusal in refusals {
        let is_named = refusal.contains("is empty") || refusal.contains("has no value");
        assert!(is_named && refusal.contains("leave it out"), "{refusal}");
    }
    for change in [
        (|job: &mut JobSettings| job.uri.clear()) as fn(&mut JobSettings),
        |job| job.schedule.clear(),
        |job| job.time_zone.clear(),
        |job| job.http_method.clear(),
    ] {
        let mut settings = settings();
        change(&mut settings);
        assert!(Job::accept(&settings).is_err());
    }
    // It says that there is none.
    let described = settings();
    assert!(described.description.is_empty() && Job::accept(&described).is_ok());
}

#[test]
fn retries_come_no_faster_than_ten_a_second() {
    for milliseconds in [0, 1, 99] {
        let refusal = not_accepted(|job| job.min_backoff = milliseconds);
        assert!(refusal.contains("the shortest backoff is"), "{refusal}");
        assert!(refusal.contains("expected 100ms to"), "{refusal}");
        let refusal = not_accepted(|job| {
            job.min_backoff = 0;
            job.max_backoff = milliseconds;
        });
        assert!(refusal.contains("backoff is"), "{refusal}");
    }
    let mut fastest = settings();
    (fastest.min_backoff, fastest.max_backoff) = (100, 100);
    assert!(Job::accept(&fastest).is_ok());
    // One that is kept from before is held to it.
    (fastest.min_backoff, fastest.max_backoff) = (0, 0);
    let job = Job::read(&fastest).unwrap();
    assert_eq!(job.retry.backoff(1), Duration::from_millis(100));
}

#[test]
fn an_audience_is_the_url_as_it_is_sent() {
    let mut settings = settings();
    settings.uri = "http://bücher.example/grüße?x=1".into();
    settings.oidc_account = Some("a@host.internal".into());
    let target = Job::accept(&settings).unwrap().target;
    assert_eq!(
        target.identity.unwrap().audience,
        "http://xn--bcher-kva.example/gr%C3%BC%C3%9Fe"
    );
    assert_eq!(
        target.uri.to_string(),
        "http://xn--bcher-kva.example/gr%C3%BC%C3%9Fe?x=1"
    );
}

#[test]
fn an_error_names_the_flag_that_it_is_about() {
    let flag = |change: fn(&mut JobSettings)| {
        let mut settings = settings();
        change(&mut settings);
        Job::accept(&settings).unwrap_err().flag()
    };
    assert_eq!(flag(|job| job.uri.clear()), Some("uri"));
    assert_eq!(flag(|job| job.schedule.clear()), Some("schedule"));
    assert_eq!(flag(|job| job.time_zone = "Mars".into()), Some("time-zone"));
    assert_eq!(
        flag(|job| job.http_method = "x".into()),
        Some("http-method")
    );
    assert_eq!(flag(|job| job.min_backoff = 0), Some("min-backoff"));
    assert_eq!(flag(|job| job.max_doublings = 17), Some("max-doublings"));
    assert_eq!(
        flag(|job| job.attempt_deadline = 1),
        Some("attempt-deadline")
    );
    assert_eq!(
        flag(|job| job.oidc_audience = Some("a".into())),
        Some("oidc-token-audience")
    );
    assert_eq!(flag(|job| job.body = Some("A".repeat(1 << 20))), None);
}
