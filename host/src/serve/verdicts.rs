//! Tokens that were found good on one worker.
//!
//! What is remembered is the check of the signature, by the token's hash. Expiry, audience and policy are judged again
//! on each use, and whatever else may change a verdict makes a new generation, which forgets all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use crate::identity::{LONGEST_TOKEN, Verified};

/// Tokens that are remembered at most, and their bytes. What a token says takes a few times its own length.
const CAPACITY: usize = 4096;
const CAPACITY_BYTES: usize = 8 * 1024 * 1024;

type Key = [u8; 32];

/// The memory of one worker. Bounded: when it is full, the older half is forgotten.
#[derive(Debug, Default)]
pub(super) struct Verdicts {
    /// Only the worker itself comes here.
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    generation: u64,
    /// Of the recent tokens.
    bytes: usize,
    recent: HashMap<Key, Arc<Verified>>,
    older: HashMap<Key, Arc<Verified>>,
}

impl Verdicts {
    /// What `token` was found to say in this generation.
    pub(super) fn get(&self, token: &str, generation: u64) -> Option<Arc<Verified>> {
        if token.len() > LONGEST_TOKEN {
            return None;
        }
        let key = key(token);
        let mut memory = self.of(generation);
        if let Some(verified) = memory.recent.get(&key) {
            return Some(Arc::clone(verified));
        }
        let verified = memory.older.remove(&key)?;
        memory.put(key, token.len(), Arc::clone(&verified));
        Some(verified)
    }

    /// Remembers what `token` was found to say.
    pub(super) fn put(&self, token: &str, generation: u64, verified: Arc<Verified>) {
        self.of(generation).put(key(token), token.len(), verified);
    }

    fn of(&self, generation: u64) -> MutexGuard<'_, Memory> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        if memory.generation != generation {
            *memory = Memory {
                generation,
                ..Memory::default()
            };
        }
        memory
    }
}

impl Memory {
    fn put(&mut self, key: Key, bytes: usize, verified: Arc<Verified>) {
        if self.recent.len() >= CAPACITY / 2 || self.bytes + bytes > CAPACITY_BYTES / 2 {
            self.older = std::mem::take(&mut self.recent);
            self.bytes = 0;
        }
        self.bytes += bytes;
        self.recent.insert(key, verified);
    }
}

fn key(token: &str) -> Key {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::identity::{
        Algorithm, IdToken, IssuerConfig, IssuerUrl, KeySet, SigningAlgorithm, SigningKey,
        Verifier, jwks_document, mint,
    };

    /// What some token says.
    fn verified() -> Arc<Verified> {
        let issuer: IssuerUrl = "https://issuer.example".parse().unwrap();
        let key = SigningKey::generate(SigningAlgorithm::EdDsa).unwrap();
        let token = IdToken {
            subject: "ada",
            address: "ada@example.com",
            audience: "x",
            with_email: false,
            lifetime: Duration::from_secs(60),
        };
        let now = SystemTime::now();
        let token = mint(&issuer, &key, &token, now).unwrap();
        let keys = jwks_document([key.public()]).to_string();
        let keys = KeySet::read(keys.as_bytes()).unwrap();
        let config = IssuerConfig::new(issuer, [Algorithm::EdDsa]);
        let verifier = Verifier::new(config.into(), ["x".to_owned()]);
        Arc::new(verifier.verify(&token, &keys, now).unwrap())
    }

    impl Verdicts {
        fn length(&self) -> usize {
            let memory = self.memory.lock().unwrap();
            memory.recent.len() + memory.older.len()
        }
    }

    #[test]
    fn what_is_remembered_is_bounded_in_number_and_the_newest_stays() {
        let (verdicts, verified) = (Verdicts::default(), verified());
        for number in 0..CAPACITY * 3 {
            verdicts.put(&format!("token-{number}"), 1, Arc::clone(&verified));
            assert!(verdicts.length() <= CAPACITY, "{number}");
        }
        assert!(verdicts.length() >= CAPACITY / 2);
        let newest = format!("token-{}", CAPACITY * 3 - 1);
        assert!(verdicts.get(&newest, 1).is_some());
        assert!(verdicts.get("token-0", 1).is_none());
    }

    #[test]
    fn what_is_remembered_is_bounded_in_bytes() {
        let (verdicts, verified) = (Verdicts::default(), verified());
        let most = CAPACITY_BYTES / LONGEST_TOKEN;
        let token = |number: usize| format!("{number:0LONGEST_TOKEN$}");
        for number in 0..most * 3 {
            verdicts.put(&token(number), 1, Arc::clone(&verified));
            assert!(verdicts.length() <= most, "{number}");
        }
        assert!(verdicts.get(&token(most * 3 - 1), 1).is_some());
    }

    #[test]
    fn a_token_that_is_used_again_is_not_forgotten_for_others() {
        let (verdicts, verified) = (Verdicts::default(), verified());
        verdicts.put("used", 1, Arc::clone(&verified));
        for number in 0..CAPACITY * 3 {
            verdicts.put(&format!("token-{number}"), 1, Arc::clone(&verified));
            assert!(verdicts.get("used", 1).is_some(), "{number}");
        }
    }

    #[test]
    fn another_generation_remembers_nothing_and_longer_tokens_are_not_looked_for() {
        let (verdicts, verified) = (Verdicts::default(), verified());
        verdicts.put("token", 1, verified);
        assert!(verdicts.get("token", 1).is_some());
        assert!(verdicts.get("token", 2).is_none());
        assert!(verdicts.get("token", 1).is_none());
        assert!(verdicts.get(&"a".repeat(LONGEST_TOKEN + 1), 2).is_none());
    }
}
