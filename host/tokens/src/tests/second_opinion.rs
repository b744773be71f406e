//! Mutated tokens, judged by us, by the crate `jsonwebtoken` and by npm's `jose`: never are we more lenient than either.

use std::env;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::{Command, Stdio};
use std::thread;

use rand::SeedableRng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use serde_json::json;

use super::differential::{ALGORITHMS, mutant, other_accepts};
use super::forge::{self, config, signer};

const ROUNDS: usize = 100_000;

/// What `jose` says of each of `questions`, in their order.
fn jose_accepts(questions: Vec<String>) -> Vec<bool> {
    assert!(env::var_os("HOST_PEERS").is_some(), "HOST_PEERS is not set");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/tests/jose.mjs");
    let mut node = Command::new("node")
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("node runs");
    let mut input = BufWriter::new(node.stdin.take().unwrap());
    let output = BufReader::new(node.stdout.take().unwrap());
    // It answers while it is asked.
    let asking = thread::spawn(move || {
        for question in questions {
            writeln!(input, "{question}").expect("node reads");
        }
    });
    let verdict = |line: String| line.parse().expect("a verdict is true or false");
    let verdicts = output.lines().map(|line| verdict(line.unwrap())).collect();
    asking.join().unwrap();
    assert!(node.wait().unwrap().success());
    verdicts
}

#[test]
fn no_mutated_token_is_accepted_that_another_judge_refuses() {
    let seed = rand::random();
    println!("seed {seed}");
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut verdicts = Vec::with_capacity(ROUNDS);
    let mut questions = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let signer = signer(ALGORITHMS.choose(&mut rng).unwrap().0);
        let token = mutant(signer, &mut rng);
        let question = json!({
            "jwk": signer.jwk,
            "algorithm": signer.algorithm.name(),
            "token": token,
            "issuer": forge::ISSUER,
            "audience": forge::AUDIENCE,
            "now": forge::NOW,
            "leeway": config().leeway.as_secs(),
        });
        questions.push(question.to_string());
        let ours = forge::judge(config(), &token).is_ok();
        verdicts.push((ours, other_accepts(&token, signer), token));
    }
    let jose = jose_accepts(questions);
    assert_eq!(jose.len(), ROUNDS);
    let mut accepted = 0;
    let mut stricter = 0;
    for ((ours, jsonwebtoken, token), jose) in verdicts.into_iter().zip(jose) {
        accepted += usize::from(ours);
        stricter += usize::from(!ours && jsonwebtoken && jose);
        assert!(!ours || jsonwebtoken, "jsonwebtoken refuses {token}");
        assert!(!ours || jose, "jose refuses {token}");
    }
    assert!(accepted > ROUNDS / 20, "{accepted} were accepted");
    assert!(stricter > ROUNDS / 100, "{stricter} only by the others");
    println!("{accepted} of {ROUNDS} accepted; {stricter} only by both others");
}
