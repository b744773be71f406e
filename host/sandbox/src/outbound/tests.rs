//! Calls from a guest's side of the hooks to servers on loopback.

mod failures;
mod protocol;
mod reach;
mod server;

use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Empty, Full};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use super::client::OutboundClient;
use super::connect::{Resolve, SystemResolver};
use super::{OutboundHooks, OutboundPolicy, RefusalSink};
use crate::line::Remedy;

const LOCALHOST: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

impl RefusalSink for Mutex<Vec<String>> {
    fn calls_out(&self) {}

    fn has_ended(&self) -> bool {
        false
    }

    fn refused(&self, line: String, _: Option<Remedy>) {
        self.lock().unwrap().push(line);
    }
}

/// A resolver that gives its answers in order, and none when it has no more.
struct Answers(Mutex<Vec<Vec<IpAddr>>>);

impl Answers {
    fn new<const N: usize>(answers: [&[IpAddr]; N]) -> Self {
        let answers = answers.iter().rev().map(|answer| answer.to_vec());
        Self(Mutex::new(answers.collect()))
    }
}

impl Resolve for Answers {
    fn resolve(&self, _: String) -> Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>> {
        let answer = self.0.lock().unwrap().pop();
        Box::pin(std::future::ready(answer.ok_or_else(|| {
            io::Error::other("resolved more often than it should be")
        })))
    }
}

/// An execution that calls out.
struct Guest {
    hooks: OutboundHooks,
    options: RequestOptions,
    refusals: Arc<Mutex<Vec<String>>>,
}

impl Guest {
    fn allowed(rules: &[&str]) -> Self {
        Self::new(rules, SystemResolver::new(), &[])
    }

    fn resolving(rules: &[&str], answers: Answers) -> Self {
        Self::new(rules, answers, &[])
    }

    fn new(
        rules: &[&str],
        resolver: impl Resolve + 'static,
        authorities: &[rustls_pki_types::CertificateDer<'static>],
    ) -> Self {
        let mut policy = OutboundPolicy::default();
        for rule in rules {
            policy.allow(rule).unwrap();
        }
        policy.authorities.extend_from_slice(authorities);
        let client = OutboundClient::with_resolver(policy, Arc::new(resolver)).unwrap();
        let refusals = Arc::new(Mutex::new(Vec::new()));
        Self {
            hooks: OutboundHooks::new(Arc::new(client), 2, Arc::clone(&refusals) as _, None),
            options: RequestOptions::default(),
            refusals,
        }
    }

    fn send(
        &mut self,
        request: Request<WasiBody>,
    ) -> impl Future<Output = Result<Response<WasiBody>, Error>> + Send + use<> {
        let done = Box::new(async { Ok(()) });
        let sending = Pin::from(self.hooks.send_request(request, Some(self.options), done));
        async { Ok(sending.await?.0) }
    }

    fn get(
        &mut self,
        uri: &str,
    ) -> impl Future<Output = Result<Response<WasiBody>, Error>> + Send + use<> {
        self.send(Request::get(uri).body(empty()).unwrap())
    }

    /// Gets `uri` and reads the whole body.
    async fn text(&mut self, uri: &str) -> Result<String, Error> {
        let body = self.get(uri).await?.into_body().collect().await?.to_bytes();
        Ok(String::from_utf8(body.to_vec()).unwrap())
    }

    fn refusals(&self) -> Vec<String> {
        self.refusals.lock().unwrap().clone()
    }
}

fn empty() -> WasiBody {
    Empty::new().map_err(|error| match error {}).boxed_unsync()
}

fn hello(_: Request<hyper::body::Incoming>) -> Response<Full<Bytes>> {
    Response::new("hello".into())
}
