//! What it costs to check tokens: a private function beside an open one that is sent the same, where all callers have one
//! token, and where each request has a new one; then callers at a fixed pace, alone and beside others who are refused.

use std::fs;
use std::thread;
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
/// Tokens per second that are refused.
const REFUSED: u32 = 10_000;
/// Connections that forge as fast as they are answered.
const CROWD: usize = 256;
/// What is beside the callers.
const BESIDE: [&str; 4] = ["alone", "garbage", "forged tokens", "a crowd"];
/// How long callers have each of these beside them, in turns: what else happens on the machine then happens to all.
const TURN: Duration = Duration::from_millis(500);

const CASES: [(&str, Served); 4] = [
    ("open, one token", Served::Host),
    ("private, one token", Served::HostPrivate),
    ("open, new tokens", Served::Host),
    ("private, new tokens", Served::HostPrivate),
];

/// Measures and prints.
pub(crate) fn run(settings: &Settings) -> Result<(), String> {
    let issuer = Issuer::start();
    let key = Key::new("rsa", Kind::Rs256);
    issuer.publish(&[&key]);
    eprintln!("signing {TOKENS} tokens with RS256");
    let tokens: Vec<String> = (0..TOKENS)
        .map(|number| token(&issuer, &key, number))
        .collect();
    let forged: Vec<String> = tokens.iter().map(|token| forged(token)).collect();
    let settings = &Settings {
        issuer: Some(issuer.url()),
        invoker: Some(issuer.principal("ada")),
        ..settings.clone()
    };
    let mut rates = [const { Vec::new() }; CASES.len()];
    let mut costs = [const { Vec::new() }; CASES.len()];
    let mut waits = [const { Vec::new() }; BESIDE.len()];
    for round in 1..=settings.rounds {
        eprintln!("round {round} of {}", settings.rounds);
        // Nobody is always first.
        for turn in 0..CASES.len() {
            let number = (turn + round) % CASES.len();
            let tokens = &tokens[..if number < 2 { 1 } else { TOKENS }];
            let (rate, cost) = rate_and_cost(settings, CASES[number].1, tokens)?;
            rates[number].push(rate);
            costs[number].push(cost);
        }
        let of_round = waits_of_round(settings, &tokens[0], &forged)?;
        for (all, of_round) in waits.iter_mut().zip(of_round) {
            all.extend(of_round);
        }
    }
    print_rates(rates.map(median), costs.map(median));
    print_waits(&waits);
    Ok(())
}

fn print_rates(rates: [f64; CASES.len()], costs: [f64; CASES.len()]) {
    println!("{:20} {:>10} {:>16}", "", "requests/s", "host's µs each");
    for ((name, _), (rate, cost)) in CASES.iter().zip(rates.into_iter().zip(costs)) {
        println!("{name:20} {rate:>10.0} {cost:>16.1}");
    }
    for (name, first, wanted) in [("one token", 0, 0.95), ("new tokens", 2, 0.50)] {
        let (of_open, of_time) = (
            rates[first + 1] / rates[first],
            costs[first] / costs[first + 1],
        );
        println!("\n{name:10} of open      {of_open:>6.2}  (wanted >= {wanted:.2})");
        println!("  by host's own time     {of_time:>6.2}");
    }
}

fn print_waits(waits: &[Vec<Duration>; BESIDE.len()]) {
    println!("\ncallers' µs         p50      p90      p99");
    for (beside, waits) in BESIDE.iter().zip(waits) {
        let [half, most, nearly_all] = [50, 90, 99].map(|part| percentile(waits, part));
        println!("{beside:14} {half:>8} {most:>8} {nearly_all:>8}");
    }
    let [alone, garbage, forged, _] = waits.each_ref().map(|waits| percentile(waits, 99) as f64);
    println!(
        "\np99 beside garbage       {:>6.2}  (wanted <= 1.10)",
        garbage / alone
    );
    println!("  beside forged tokens   {:>6.2}", forged / alone);
}

/// How long callers wait, beside each of [`BESIDE`].
fn waits_of_round(
    settings: &Settings,
    token: &str,
    forged: &[String],
) -> Result<[Vec<Duration>; BESIDE.len()], String> {
    let server = Server::start(Served::HostPrivate, settings)?;
    server.warm_up()?;
    // Of the same length, and no token at all.
    let backwards = |token: &String| token.chars().rev().collect();
    let garbage: Vec<String> = forged.iter().map(backwards).collect();
    let callers = |time| paced::waits(server.addr(), PACE, token, time);
    let beside = |tokens| {
        let garbage = Garbage::start(server.addr(), REFUSED, tokens)?;
        let waits = callers(TURN)?;
        Ok::<_, String>((waits, garbage.stop()))
    };
    let mut waits = [const { Vec::new() }; BESIDE.len()];
    let mut rates = [const { Vec::new() }; BESIDE.len()];
    for _ in 0..settings.duration.as_millis() / TURN.as_millis() {
        waits[0].extend(callers(TURN)?);
        for (number, tokens) in [(1, &garbage[..]), (2, forged)] {
            let (waited, rate) = beside(tokens)?;
            waits[number].extend(waited);
            rates[number].push(rate);
        }
    }
    let [_, garbage_rate, forged_rate, _] = rates.map(median);
    eprintln!("{garbage_rate:.0} garbage and {forged_rate:.0} forged tokens a second were refused");
    let file = server::scratch().join("forged");
    fs::write(&file, forged.join("\n")).map_err(|error| error.to_string())?;
    let (crowd, rate) = thread::scope(|scope| {
        let rate = scope.spawn(|| load::crowd(settings, server.addr(), CROWD, &file));
        // It has begun by then, and goes on until they have done.
        thread::sleep(settings.duration / 4);
        let waits = callers(settings.duration / 2);
        (waits, rate.join())
    });
    let rate = rate.map_err(|_| "the crowd panicked")??;
    eprintln!("{rate:.0} of a crowd of {CROWD} were");
    waits[3] = crowd?;
    Ok(waits)
}

fn token(issuer: &Issuer, key: &Key, number: usize) -> String {
    let mut claims = issuer.claims("ada", AUDIENCE);
    claims["jti"] = number.to_string().into();
    claims["exp"] = (claims["iat"].as_u64().unwrap_or_default() + 3600).into();
    key.sign(&claims)
}

/// Its signature is changed, and all of the work has to be done to find that out.
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

/// The longest wait of this part of them that waited least, in microseconds.
fn percentile(waits: &[Duration], part: usize) -> u128 {
    let mut waits = waits.to_vec();
    waits.sort();
    let last = waits.get(waits.len() * part / 100);
    last.map(Duration::as_micros).unwrap_or_default()
}

pub(crate) fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}
