//! An OpenID issuer that signs what it is told, counts who asks for its keys, and can fail.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

const DISCOVERY: &str = "/.well-known/openid-configuration";
const KEYS: &str = "/keys";

/// An issuer on a port of its own, with one key of its own, `first`.
#[derive(Debug)]
pub struct Issuer {
    addr: SocketAddr,
    key: Key,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    answers: Answers,
    keys: Value,
    discoveries: usize,
    key_fetches: usize,
}

/// How an issuer answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answers {
    /// As it should.
    Well,
    /// With status 500.
    Broken,
    /// With a page for people.
    Html,
    /// With a key set that holds none.
    EmptySet,
    /// Never.
    Never,
    /// With keys that come a byte at a time, and never to an end.
    SlowKeys,
    /// With a redirection to this URL and the path that was asked for.
    Redirect(String),
    /// With the discovery document of this issuer.
    AsOther(String),
    /// With documents that are right and have spaces up to this many bytes.
    Padded(usize),
    /// As it should, at this time (RFC 9110, section 5.6.7).
    At(&'static str),
    /// With a discovery document whose keys are at this URL.
    KeysAt(String),
    /// With the discovery document of this issuer, whose keys are at that URL.
    AsOtherWithKeysAt(String, String),
}

/// A key that signs tokens.
#[derive(Debug)]
pub struct Key {
    name: String,
    kind: Kind,
    pair: Pair,
}

/// What a key signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// ECDSA on P-256 (RFC 7518, section 3.4).
    Es256,
    /// ECDSA on P-384.
    Es384,
    /// Ed25519 (RFC 8037, section 3.1).
    EdDsa,
    /// RSASSA-PKCS1-v1_5 (RFC 7518, section 3.3) with 2048 bits.
    Rs256,
    /// RSASSA-PSS (RFC 7518, section 3.5) with 2048 bits.
    Ps256,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }
}

#[derive(Debug)]
enum Pair {
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl Issuer {
    /// Starts one on 127.0.0.1. It serves until the specification's process ends.
    #[track_caller]
    pub fn start() -> Self {
        Self::start_with(Answers::Well)
    }

    /// Starts one that answers so from the beginning.
    #[track_caller]
    pub fn start_with(answers: Answers) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap_or_else(|error| panic!("cannot listen: {error}"));
        let addr = listener.local_addr().expect("a listener has an address");
        let key = Key::new("first", Kind::Es256);
        let state = Arc::new(Mutex::new(State {
            answers,
            keys: key_set(&[&key]),
            discoveries: 0,
            key_fetches: 0,
        }));
        let ours = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&ours);
                thread::spawn(move || serve(stream, addr, &state));
            }
        });
        Self { addr, key, state }
    }

    /// Its name, which is its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// How the policy of a function names `subject`.
    pub fn principal(&self, subject: &str) -> String {
        format!("principal:{}#{subject}", self.url())
    }

    /// Has it answer so from now on.
    pub fn answer(&self, answers: Answers) {
        self.lock().answers = answers;
    }

    /// Has it publish these keys and no others.
    pub fn publish(&self, keys: &[&Key]) {
        self.publish_set(key_set(keys));
    }

    /// Has it publish this as its key set.
    pub fn publish_set(&self, keys: Value) {
        self.lock().keys = keys;
    }

    /// How often its discovery document was asked for.
    pub fn discoveries(&self) -> usize {
        self.lock().discoveries
    }

    /// How often its keys were asked for.
    pub fn key_fetches(&self) -> usize {
        self.lock().key_fetches
    }

    /// The key that it began with.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// What a token says of `subject` to `audience`, from now on for five minutes.
    pub fn claims(&self, subject: &str, audience: &str) -> Value {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.expect("the clock is right").as_secs();
        json!({"iss": self.url(), "sub": subject, "aud": audience, "iat": now, "exp": now + 300})
    }

    /// Such a token, signed with [`key`](Self::key).
    pub fn token(&self, subject: &str, audience: &str) -> String {
        self.key.sign(&self.claims(subject, audience))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl Key {
    /// Makes one that is called `name`.
    #[track_caller]
    pub fn new(name: &str, kind: Kind) -> Self {
        let pair = match kind {
            Kind::Es256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Pair::Ecdsa)
            }
            Kind::Es384 => {
                EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).map(Pair::Ecdsa)
            }
            Kind::EdDsa => Ed25519KeyPair::generate().map(Pair::Ed25519),
            Kind::Rs256 | Kind::Ps256 => RsaKeyPair::generate(KeySize::Rsa2048).map(Pair::Rsa),
        };
        Self {
            name: name.to_owned(),
            kind,
            pair: pair.expect("a key"),
        }
    }

    /// A token with these claims that names this key.
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_with(json!({}), claims)
    }

    /// Such a token that has these members in its header beside, or in place of, the usual ones; null leaves one out.
    pub fn sign_with(&self, members: Value, claims: &Value) -> String {
        let mut header = json!({"alg": self.kind.name(), "kid": self.name, "typ": "JWT"});
        for (name, value) in members.as_object().into_iter().flatten() {
            match value {
                Value::Null => drop(
                    header
                        .as_object_mut()
                        .and_then(|header| header.remove(name)),
                ),
                value => header[name] = value.clone(),
            }
        }
        self.sign_text(header.to_string(), claims.to_string())
    }

    /// A token of this header and this payload, whatever they are.
    pub fn sign_text(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        let signed = format!("{}.{}", encode(header), encode(payload));
        let signature = encode(self.signature(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// Its signature of these bytes.
    pub fn signature(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ecdsa(pair) => {
                let signature = pair.sign(&random, message).expect("the key signs");
                signature.as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let padding: &dyn RsaEncoding = match self.kind {
                    Kind::Ps256 => &RSA_PSS_SHA256,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                let signed = pair.sign(padding, &random, message, &mut signature);
                signed.expect("the key signs");
                signature
            }
        }
    }

    /// Its public half as a certificate has it (RFC 5280, section 4.1.2.7).
    #[track_caller]
    pub fn public_der(&self) -> Vec<u8> {
        let der: Result<PublicKeyX509Der<'_>, _> = match &self.pair {
            Pair::Ecdsa(pair) => pair.public_key().as_der(),
            Pair::Ed25519(pair) => pair.public_key().as_der(),
            Pair::Rsa(pair) => pair.public_key().as_der(),
        };
        der.expect("a key has this form").as_ref().to_vec()
    }

    /// Its public half (RFC 7517, section 4).
    pub fn jwk(&self) -> Value {
        match &self.pair {
            Pair::Ecdsa(pair) => {
                let curve = match self.kind {
                    Kind::Es384 => "P-384",
                    _ => "P-256",
                };
                // A point is 4, x and y (SEC 1, section 2.3.3).
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({"kty": "EC", "crv": curve, "kid": self.name, "x": encode(x), "y": encode(y)})
            }
            Pair::Ed25519(pair) => {
                let x = encode(pair.public_key());
                json!({"kty": "OKP", "crv": "Ed25519", "kid": self.name, "x": x})
            }
            Pair::Rsa(pair) => {
                let key = pair.public_key();
                let n = encode(key.modulus().big_endian_without_leading_zero());
                let e = encode(key.exponent().big_endian_without_leading_zero());
                json!({"kty": "RSA", "alg": self.kind.name(), "kid": self.name, "n": n, "e": e})
            }
        }
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn key_set(keys: &[&Key]) -> Value {
    let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
    json!({ "keys": keys })
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers the one request of a connection.
fn serve(mut stream: TcpStream, addr: SocketAddr, state: &Mutex<State>) {
    let mut head = Vec::new();
    let mut some = [0; 4096];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut some) {
            Ok(count) if count > 0 => head.extend_from_slice(&some[..count]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head);
    let path = head.split(' ').nth(1).unwrap_or_default();
    let answer = answer(path, addr, &mut lock(state));
    if path == KEYS && lock(state).answers == Answers::SlowKeys {
        return dribble(stream);
    }
    match answer {
        // Whoever asked may have gone.
        Some(answer) => drop(stream.write_all(answer.as_bytes())),
        None => drop(stream.read_to_end(&mut head.into_owned().into_bytes())),
    }
}

/// Sends a document of spaces, for as long as somebody reads it.
fn dribble(mut stream: TcpStream) {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n";
    let mut sent = stream.write_all(head.as_bytes());
    while sent.is_ok() {
        thread::sleep(Duration::from_millis(50));
        sent = stream.write_all(b" ");
    }
}

/// The answer, if there is one.
fn answer(path: &str, addr: SocketAddr, state: &mut State) -> Option<String> {
    let mut discovery =
        json!({"issuer": format!("http://{addr}"), "jwks_uri": format!("http://{addr}{KEYS}")});
    let is_discovery = path == DISCOVERY;
    match path {
        DISCOVERY => state.discoveries += 1,
        KEYS => state.key_fetches += 1,
        _ => return Some(response("404 Not Found", "", "")),
    }
    let mut keys = state.keys.clone();
    let (mut length, mut fields) = (0, String::new());
    match &state.answers {
        Answers::Well | Answers::SlowKeys => {}
        Answers::Broken => return Some(response("500 Internal Server Error", "", "{}")),
        Answers::Html => return Some(response("200 OK", "", "<!doctype html><p>Sign in</p>")),
        Answers::EmptySet => keys = key_set(&[]),
        Answers::Never => return None,
        Answers::Redirect(url) => {
            return Some(response(
                "302 Found",
                &format!("Location: {url}{path}\r\n"),
                "",
            ));
        }
        Answers::AsOther(issuer) => discovery["issuer"] = issuer.as_str().into(),
        Answers::Padded(bytes) => length = *bytes,
        Answers::At(date) => fields = format!("Date: {date}\r\n"),
        Answers::KeysAt(url) => discovery["jwks_uri"] = url.as_str().into(),
        Answers::AsOtherWithKeysAt(issuer, url) => {
            discovery["issuer"] = issuer.as_str().into();
            discovery["jwks_uri"] = url.as_str().into();
        }
    }
    let mut document = if is_discovery { discovery } else { keys }.to_string();
    document.push_str(&" ".repeat(length.saturating_sub(document.len())));
    Some(response("200 OK", &fields, &document))
}

fn response(status: &str, fields: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{fields}Cache-Control: max-age=600\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}
