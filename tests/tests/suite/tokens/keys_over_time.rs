//! Keys of outside issuers: fetched, changed, withdrawn, and not to be had.

use std::fmt::Write as _;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use tests::{AUDIENCE, Answers, Host, Http2, Issuer, Key, Kind, Reply, Signal, State, wait_until};

/// The largest document that is read, in bytes.
const LARGEST: usize = 256 * 1024;
/// How long keys are not fetched again for a token's sake, with a little more for whoever counts.
const COOLDOWN: Duration = Duration::from_millis(30_200);

/// A function `private` that `ada` of each of these issuers may call, as a file declares it that can be read again.
struct Configured {
    state: State,
    host: Host,
}

impl Configured {
    fn start(issuers: &[&Issuer]) -> Self {
        let state = State::new();
        write(&state, &config(issuers));
        let host = state
            .serve()
            .arg("--config")
            .arg(state.beside().join("host.toml"))
            .arg("--signing-algorithm=ES256")
            .start();
        for issuer in issuers {
            host.wait_for_keys_of(issuer);
        }
        Self { state, host }
    }

    /// Has the host read this file, and waits until it has.
    #[track_caller]
    fn reload(&self, text: &str, outcome: &str) {
        let told = |host: &Host| host.stderr().matches(outcome).count();
        let before = told(&self.host);
        write(&self.state, text);
        self.host.signal(Signal::Hup);
        wait_until("the file was read", || told(&self.host) > before);
    }

    fn get(&self, token: &str) -> Reply {
        self.host.get_with("/private", token)
    }

    /// What `ada` of `issuer` is answered.
    fn status(&self, issuer: &Issuer) -> u16 {
        self.get(&issuer.token("ada", AUDIENCE)).status
    }
}

const TAKEN: &str = "The configuration was read again";
const NOT_TAKEN: &str = "the old configuration stays in use";

fn write(state: &State, text: &str) {
    fs::write(state.beside().join("host.toml"), text).expect("the directory is ours");
}

fn config(issuers: &[&Issuer]) -> String {
    let mut text = String::new();
    for (number, issuer) in issuers.iter().enumerate() {
        let url = issuer.url();
        let _ = writeln!(
            text,
            "[issuers.number-{number}]\nurl = {url:?}\naudiences = [{AUDIENCE:?}]"
        );
    }
    let invokers: Vec<_> = issuers
        .iter()
        .map(|issuer| issuer.principal("ada"))
        .collect();
    let source = tests::guest("echoes");
    let _ = writeln!(
        text,
        "[functions.private]\nsource = {source:?}\ninvokers = {invokers:?}"
    );
    text
}

/// GET as `ada` of `issuer`.
#[track_caller]
fn get_as_ada(host: &Host, issuer: &Issuer) -> Reply {
    host.get_with("/", &issuer.token("ada", AUDIENCE))
}

#[track_caller]
fn status(host: &Host, token: &str) -> u16 {
    host.get_with("/", token).status
}

#[track_caller]
fn assert_unavailable(reply: &Reply, why: &str) {
    assert_eq!(reply.status, 503, "{why}: {reply:?}");
    let again: Option<u64> = reply
        .header("retry-after")
        .and_then(|text| text.parse().ok());
    assert!(again.is_some_and(|seconds| seconds > 0), "{why}: {reply:?}");
    assert_eq!(reply.header("www-authenticate"), None, "{why}");
}

/// Every way to fail but that of never answering, which takes its time.
fn failures(elsewhere: &Issuer) -> [Answers; 7] {
    [
        Answers::Broken,
        Answers::Html,
        Answers::EmptySet,
        Answers::Redirect(elsewhere.url()),
        Answers::AsOther(elsewhere.url()),
        Answers::Padded(LARGEST + 1),
        Answers::KeysAt(format!("{}/keys", elsewhere.url())),
    ]
}

#[test]
fn without_keys_from_the_beginning_tokens_are_503_and_other_issuers_go_on() {
    let elsewhere = Issuer::start();
    let well = Issuer::start();
    let failing =
        failures(&elsewhere).map(|answers| (format!("{answers:?}"), Issuer::start_with(answers)));
    let all: Vec<_> = failing
        .iter()
        .map(|(_, issuer)| issuer)
        .chain([&well])
        .collect();
    let host = Host::serve_private(&all).start();
    host.wait_for_keys_of(&well);
    for (why, issuer) in &failing {
        wait_until(why, || host.fetches(issuer, "failure") > 0);
        let reply = get_as_ada(&host, issuer);
        assert_unavailable(&reply, why);
        host.wait_for_log(|line| line.contains(reply.execution_id()) && line.contains("(no_keys)"));
        let unsigned = issuer.key().sign_with(
            serde_json::json!({"alg": "none"}),
            &issuer.claims("ada", AUDIENCE),
        );
        assert_eq!(host.get_with("/", &unsigned).status, 401, "{why}");
        let url = issuer.url();
        host.wait_for_stderr(|line| line.contains(&format!("no keys of {url}")));
    }
    assert_eq!(get_as_ada(&host, &well).status, 200);
    assert_eq!(host.get_with("/", "").status, 401);
    let asked = (elsewhere.discoveries(), elsewhere.key_fetches());
    assert_eq!(asked, (0, 0), "nothing leads elsewhere");
}

#[test]
fn a_caller_who_comes_before_the_first_keys_waits_for_them() {
    // How fast they come is a matter of luck, so luck gets several chances.
    for _ in 0..5 {
        let issuer = Issuer::start();
        let host = Host::serve_private(&[&issuer]).start();
        let reply = get_as_ada(&host, &issuer);
        assert_eq!(reply.status, 200, "{reply:?}");
    }
}

#[test]
fn an_issuer_that_never_answers_holds_up_nobody_but_its_own() {
    let silent = Issuer::start_with(Answers::Never);
    let well = Issuer::start();
    let host = Host::serve_private(&[&silent, &well]).start();
    host.wait_for_keys_of(&well);
    assert_eq!(host.fetches(&silent, "failure"), 0, "it is waited for");
    assert_eq!(get_as_ada(&host, &well).status, 200);
    assert_unavailable(&get_as_ada(&host, &silent), "silence");
    wait_until("the host gives up", || host.fetches(&silent, "failure") > 0);
    assert_unavailable(&get_as_ada(&host, &silent), "silence");
}

#[test]
fn keys_that_come_too_slowly_are_not_waited_for_and_let_nobody_in() {
    let slow = Issuer::start_with(Answers::SlowKeys);
    let host = Host::serve_private(&[&slow]).start();
    let begun = Instant::now();
    wait_until("the host gives up", || host.fetches(&slow, "failure") > 0);
    assert!(begun.elapsed() < Duration::from_secs(10));
    let url = slow.url();
    host.wait_for_stderr(|line| line.contains(&format!("the keys of {url} did not come within")));
    assert_unavailable(&get_as_ada(&host, &slow), "slowness");
}

#[test]
fn a_caller_waits_for_keys_no_longer_than_the_function_may_take() {
    let silent = Issuer::start_with(Answers::Never);
    let host = Host::serve_private(&[&silent])
        .arg("--timeout=300ms")
        .start();
    let begun = Instant::now();
    let reply = get_as_ada(&host, &silent);
    let waited = begun.elapsed();
    assert_unavailable(&reply, "silence");
    assert!(waited < Duration::from_secs(3), "{waited:?}");
    assert_eq!(host.fetches(&silent, "failure"), 0, "they may come still");
}

#[test]
fn keys_that_cannot_be_used_are_left_out_and_counted() {
    let issuer = Issuer::start();
    issuer.publish_set(serde_json::json!({"keys": [
        issuer.key().jwk(),
        {"kty": "AKP", "alg": "ML-DSA-44", "kid": "later", "pub": "AAAA"},
        {"kty": "oct", "kid": "secret", "k": "c2VjcmV0"},
        {"kty": "EC", "crv": "P-256", "kid": "malformed", "x": 7},
    ]}));
    let host = Host::private(&issuer);
    let reply = get_as_ada(&host, &issuer);
    assert_eq!(reply.status, 200, "{reply:?}");
    let labels = format!("{{issuer=\"{}\"}}", issuer.url());
    let metrics = host.metrics();
    assert_eq!(
        metrics.value(&format!("host_issuer_keys_left_out{labels}")),
        3.0
    );
    let age = metrics.value(&format!("host_issuer_keys_age_seconds{labels}"));
    assert!((0.0..60.0).contains(&age), "{age}");
}

#[test]
fn a_document_may_be_as_large_as_the_bound() {
    let issuer = Issuer::start_with(Answers::Padded(LARGEST));
    let host = Host::private(&issuer);
    assert_eq!(get_as_ada(&host, &issuer).status, 200);
}

#[test]
fn keys_are_fetched_once_however_many_tokens_there_are() {
    let issuer = Issuer::start();
    let host = Host::private(&issuer);
    let client = Http2::connect(host.addr());
    let status = |token: &str| {
        let field = format!("Bearer {token}");
        client
            .start_with("GET", "/", &[("authorization", &field)])
            .finish()
            .read_reply()
            .status
    };
    let claims = issuer.claims("ada", AUDIENCE);
    let stranger = Key::new("first", Kind::Es256);
    for number in 0..1000 {
        let kid = serde_json::json!({"kid": format!("unknown-{number}")});
        assert_eq!(status(&stranger.sign_with(kid, &claims)), 401);
    }
    for number in 0..50 {
        assert_eq!(status(&stranger.sign(&claims)), 401);
        assert_eq!(status(&issuer.token("ada", AUDIENCE)), 200, "{number}");
    }
    assert_eq!((issuer.discoveries(), issuer.key_fetches()), (1, 1));
}

#[test]
fn a_new_key_is_one_fetch_after_the_cooldown_and_a_bad_signature_is_none() {
    let issuer = Issuer::start();
    let host = Host::private(&issuer);
    let second = Key::new("second", Kind::EdDsa);
    issuer.publish(&[issuer.key(), &second]);
    let claims = issuer.claims("ada", AUDIENCE);
    assert_eq!(status(&host, &second.sign(&claims)), 401);
    thread::sleep(COOLDOWN);
    for _ in 0..10 {
        let stranger = Key::new("first", Kind::Es256);
        assert_eq!(status(&host, &stranger.sign(&claims)), 401);
    }
    assert_eq!(issuer.key_fetches(), 1, "no signature is a reason to fetch");
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(status(&host, &second.sign(&claims)), 200));
        }
    });
    for number in 0..100 {
        let kid = serde_json::json!({"kid": format!("unknown-{number}")});
        assert_eq!(status(&host, &second.sign_with(kid, &claims)), 401);
    }
    assert_eq!(issuer.key_fetches(), 2);
}

#[test]
fn a_fetch_that_fails_leaves_the_old_keys_and_begins_the_cooldown_as_well() {
    let issuer = Issuer::start();
    let host = Host::private(&issuer);
    thread::sleep(COOLDOWN);
    issuer.answer(Answers::Broken);
    let second = Key::new("second", Kind::Es256);
    for _ in 0..20 {
        let unknown = second.sign(&issuer.claims("ada", AUDIENCE));
        assert_eq!(status(&host, &unknown), 401);
        assert_eq!(get_as_ada(&host, &issuer).status, 200);
    }
    assert_eq!(issuer.discoveries(), 2);
    assert_eq!(host.fetches(&issuer, "failure"), 1);
}

#[test]
fn keys_outlast_an_outage_that_a_reload_falls_into() {
    let elsewhere = Issuer::start();
    // A set without keys is no outage: see below.
    let outages = failures(&elsewhere).into_iter();
    for answers in outages.filter(|answers| *answers != Answers::EmptySet) {
        let why = format!("{answers:?}");
        let issuer = Issuer::start();
        let configured = Configured::start(&[&issuer]);
        issuer.answer(answers);
        configured.reload(&config(&[&issuer]), TAKEN);
        wait_until(&why, || configured.host.fetches(&issuer, "failure") > 0);
        assert_eq!(configured.status(&issuer), 200, "{why}");
    }
}

#[test]
fn a_key_that_is_withdrawn_is_forgotten_and_so_are_its_tokens() {
    let issuer = Issuer::start();
    let second = Key::new("second", Kind::EdDsa);
    let configured = Configured::start(&[&issuer]);
    let claims = issuer.claims("ada", AUDIENCE);
    let (old, new) = (issuer.key().sign(&claims), second.sign(&claims));
    assert_eq!(configured.get(&old).status, 200);
    assert_eq!(configured.get(&new).status, 401);
    issuer.publish(&[&second]);
    configured.reload(&config(&[&issuer]), TAKEN);
    wait_until("the keys are there", || {
        configured.host.fetches(&issuer, "success") > 1
    });
    assert_eq!(configured.get(&old).status, 401);
    assert_eq!(configured.get(&new).status, 200);
}

#[test]
fn a_key_that_is_withdrawn_without_another_is_forgotten_until_there_are_keys_again() {
    let issuer = Issuer::start();
    let configured = Configured::start(&[&issuer]);
    let token = issuer.token("ada", AUDIENCE);
    assert_eq!(configured.get(&token).status, 200);
    issuer.publish(&[]);
    configured.reload(&config(&[&issuer]), TAKEN);
    wait_until("the empty set is there", || {
        configured.host.fetches(&issuer, "failure") > 0
    });
    assert_unavailable(&configured.get(&token), "an empty set");
    let url = issuer.url();
    let told = configured
        .host
        .wait_for_stderr(|line| line.contains(&format!("no keys of {url}")));
    assert!(told.contains("since it is empty"), "{told}");
    issuer.publish(&[issuer.key()]);
    configured.reload(&config(&[&issuer]), TAKEN);
    wait_until("the key is there again", || {
        configured.host.fetches(&issuer, "success") > 1
    });
    assert_eq!(configured.get(&token).status, 200);
}

#[test]
fn a_file_with_a_bad_issuer_is_not_taken_up() {
    let issuer = Issuer::start();
    let configured = Configured::start(&[&issuer]);
    let good = config(&[&issuer]);
    for bad in [
        "[issuers.other]\nurl = \"ftp://a.example\"\n".to_owned(),
        "[issuers.other]\nurl = \"https://a.example\"\nprovider = \"nobody\"\n".to_owned(),
        "[issuers.other]\nurl = \"https://a.example\"\nalgorithms = [\"none\"]\n".to_owned(),
        "[issuers.other]\nurl = \"https://a.example\"\nalgorithms = [\"HS256\"]\n".to_owned(),
        "[issuers.other]\nurl = \"https://a.example\"\nkeys-url = \"http://a.example/keys\"\n"
            .to_owned(),
        "[issuers.other]\nurl = \"http://a.example\"\n".to_owned(),
        "[issuers.other]\n".to_owned(),
        format!("[issuers.other]\nurl = {:?}\n", issuer.url()),
        format!(
            "[issuers.other]\nurl = \"http://{}\"\n",
            configured.host.admin_addr()
        ),
    ] {
        configured.reload(&format!("{bad}{good}"), NOT_TAKEN);
        assert_eq!(configured.status(&issuer), 200, "{bad}");
    }
    assert_eq!(issuer.key_fetches(), 1);
}

#[test]
fn issuers_come_and_go_with_the_file() {
    let (first, second) = (Issuer::start(), Issuer::start());
    let configured = Configured::start(&[&first]);
    let status = |issuer| configured.status(issuer);
    assert_eq!((status(&first), status(&second)), (200, 401));
    configured.reload(&config(&[&first, &second]), TAKEN);
    wait_until("the second issuer's callers are let in", || {
        status(&second) == 200
    });
    assert_eq!(status(&first), 200);
    configured.reload(&config(&[&second]), TAKEN);
    assert_eq!((status(&first), status(&second)), (401, 200));
}
