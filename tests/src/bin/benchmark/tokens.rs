//! What it costs to check tokens: an open function, a private one whose callers all have one token, and one where each
//! request has a new one; then callers at a fixed pace, without and with garbage beside them.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use tests::{AUDIENCE, Issuer, Key, Kind};

use super::load;
use super::paced::{self, Garbage};
use super::server::{self, Kind as Served, Server};
use super::settings::Settings;

/// More than are remembered by all workers together, so that one that comes round again is new.
const TOKENS: usize = 20_000;
/// Requests per second of the callers whose waiting is measured.
const PACE: u32 = 1000;
/// Garbage tokens per second.
const GARBAGE: u32 = 10_000;

/// Measures and prints.
pub(crate) fn run(settings: &Settings) -> Result<(), String> {
    let issuer = Issuer::start();
    let key = Key::new("rsa", Kind::Rs256);
    issuer.publish(&[&key]);
    eprintln!("signing {TOKENS} tokens with RS256");
    let tokens: Vec<String> = (0..TOKENS)
        .map(|number| token(&issuer, &key, number))
        .collect();
    let settings = &Settings {
        issuer: Some(issuer.url()),
        invoker: Some(issuer.principal("ada")),
        ..settings.clone()
    };
    let cases = [
        ("open", Served::Host, &tokens[..]),
        ("one token", Served::HostPrivate, &tokens[..1]),
        ("new tokens", Served::HostPrivate, &tokens[..]),
    ];
    let mut rates = [const { Vec::new() }; 3];
    let mut costs = [const { Vec::new() }; 3];
    let mut waits = [const { Vec::new() }; 2];
    for round in 1..=settings.rounds {
        eprintln!("round {round} of {}", settings.rounds);
        for (number, (_, kind, tokens)) in cases.into_iter().enumerate() {
            let (rate, cost) = rate_and_cost(settings, kind, tokens)?;
            rates[number].push(rate);
            costs[number].push(cost);
        }
        let server = Server::start(Served::HostPrivate, settings)?;
        server.warm_up()?;
        waits[0].push(wait(server.addr(), &tokens[0], settings.duration)?);
        let garbage = Garbage::start(server.addr(), GARBAGE, &forged(&tokens[0]))?;
        waits[1].push(wait(server.addr(), &tokens[0], settings.duration)?);
        let refused = garbage.stop() as f64 / settings.duration.as_secs_f64();
        eprintln!("{refused:.0} garbage tokens a second were refused");
    }
    let [open, repeated, new] = rates.map(median);
    let costs = costs.map(median);
    println!("{:12} {:>10} {:>16}", "", "requests/s", "host's µs each");
    for ((name, ..), (rate, cost)) in cases
        .iter()
        .zip([open, repeated, new].into_iter().zip(costs))
    {
        println!("{name:12} {rate:>10.0} {cost:>16.1}");
    }
    let [alone, beside] = waits.map(|waits| median(waits) * 1e3);
    println!(
        "\np99 at {PACE} requests/s: {alone:.2} ms; beside {GARBAGE} garbage tokens/s: {beside:.2} ms\n"
    );
    println!(
        "one token, of open       {:>6.2}  (wanted >= 0.95)",
        repeated / open
    );
    println!("  by host's own time     {:>6.2}", costs[0] / costs[1]);
    println!(
        "new tokens, of open      {:>6.2}  (wanted >= 0.50)",
        new / open
    );
    println!(
        "p99 beside garbage       {:>6.2}  (wanted <= 1.10)",
        beside / alone
    );
    Ok(())
}

fn token(issuer: &Issuer, key: &Key, number: usize) -> String {
    let mut claims = issuer.claims("ada", AUDIENCE);
    claims["jti"] = number.to_string().into();
    claims["exp"] = (claims["iat"].as_u64().unwrap_or_default() + 3600).into();
    key.sign(&claims)
}

/// Its signature belongs to another token, so all of the work has to be done to find that out.
fn forged(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').unwrap_or_default();
    let last = if signature.starts_with('A') { "B" } else { "A" };
    format!("{signed}.{last}{}", signature.get(1..).unwrap_or_default())
}

/// Requests per second, and the processor time that host itself takes for each, in microseconds: the load takes a core of
/// its own, which it shares with host where there are two.
fn rate_and_cost(
    settings: &Settings,
    kind: Served,
    tokens: &[String],
) -> Result<(f64, f64), String> {
    let server = Server::start(kind, settings)?;
    server.warm_up()?;
    let file = server::scratch().join("tokens");
    fs::write(&file, tokens.join("\n")).map_err(|error| error.to_string())?;
    let before = server.processor_time()?;
    let load = load::run_with_tokens(
        settings,
        server.addr(),
        settings.connections,
        "/",
        Some(&file),
    )?;
    let used = server.processor_time()?.saturating_sub(before);
    let requests = load.rate * settings.duration.as_secs_f64();
    Ok((load.rate, used.as_secs_f64() * 1e6 / requests))
}

fn wait(addr: SocketAddr, token: &str, time: Duration) -> Result<f64, String> {
    paced::p99(addr, PACE, token, time).map(|p99| p99.as_secs_f64())
}

pub(crate) fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}
