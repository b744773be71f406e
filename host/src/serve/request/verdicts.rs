//! Tokens that were found good on one worker.
//!
//! What is remembered is the check of the signature, by the token's hash. Expiry, audience and policy are judged again
//! on each use, and whatever else may change a verdict makes a new generation, which forgets all.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use host_tokens::LONGEST_TOKEN;

use super::caller::Caller;

/// Tokens that are remembered at most, and their bytes. What a token says takes a few times its own length.
const CAPACITY: usize = 4096;
const CAPACITY_BYTES: usize = 8 * 1024 * 1024;

/// What a token is remembered by. Made once for each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::serve) struct Key {
    hash: [u8; 32],
    /// Of the token, in bytes.
    length: usize,
}

/// The memory of one worker. Bounded: when it is full, the older half is forgotten.
#[derive(Debug, Default)]
pub(in crate::serve) struct Verdicts {
    /// Only the worker itself comes here.
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    generation: u64,
    /// Of the recent tokens.
    bytes: usize,
    recent: HashMap<Key, Arc<Caller>>,
    older: HashMap<Key, Arc<Caller>>,
}

impl Key {
    /// Of `token`; none if that is longer than any token, and not worth a hash.
    pub(in crate::serve) fn of(token: &[u8]) -> Option<Self> {
        let length = token.len();
        (length <= LONGEST_TOKEN).then(|| {
            let mut hash = [0; SHA256_OUTPUT_LEN];
            hash.copy_from_slice(digest(&SHA256, token).as_ref());
            Self { hash, length }
        })
    }
}

impl Verdicts {
    /// Who was found to call with the token of `key` in this generation.
    pub(in crate::serve) fn get(&self, key: &Key, generation: u64) -> Option<Arc<Caller>> {
        let mut memory = self.of(generation);
        if let Some(caller) = memory.recent.get(key) {
            return Some(Arc::clone(caller));
        }
        let caller = memory.older.remove(key)?;
        memory.put(*key, Arc::clone(&caller));
        Some(caller)
    }

    /// Remembers who was found to call.
    pub(in crate::serve) fn put(&self, key: Key, generation: u64, caller: Arc<Caller>) {
        self.of(generation).put(key, caller);
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
    fn put(&mut self, key: Key, caller: Arc<Caller>) {
        if self.recent.len() >= CAPACITY / 2 || self.bytes + key.length > CAPACITY_BYTES / 2 {
            self.older = std::mem::take(&mut self.recent);
            self.bytes = 0;
        }
        self.bytes += key.length;
        self.recent.insert(key, caller);
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use host_tokens::{
        Algorithm, IdToken, IssuerConfig, IssuerUrl, KeySet, SigningAlgorithm, SigningKey,
        Verifier, jwks_document, mint,
    };

    /// Who calls with some token.
    fn caller() -> Arc<Caller> {
        let issuer: IssuerUrl = "https://issuer.example".parse().unwrap();
        let key = SigningKey::generate(SigningAlgorithm::EdDsa).unwrap();
        let token = IdToken::new("ada", "x");
        let now = SystemTime::now();
        let token = mint(&issuer, &key, &token, now).unwrap();
        let keys = jwks_document([key.public()]).to_string();
        let keys = KeySet::read(keys.as_bytes()).unwrap();
        let config = IssuerConfig::new(issuer, [Algorithm::EdDsa]);
        let verifier = Verifier::new(config, ["x".to_owned()]);
        Arc::new(Caller::new(verifier.verify(&token, &keys, now).unwrap()))
    }

    fn key(token: &str) -> Key {
        Key::of(token.as_bytes()).unwrap()
    }

    impl Verdicts {
        fn length(&self) -> usize {
            let memory = self.memory.lock().unwrap();
            memory.recent.len() + memory.older.len()
        }
    }

    #[test]
    fn what_is_remembered_is_bounded_in_number_and_the_newest_stays() {
        let (verdicts, caller) = (Verdicts::default(), caller());
        for number in 0..CAPACITY * 3 {
            verdicts.put(key(&format!("token-{number}")), 1, Arc::clone(&caller));
            assert!(verdicts.length() <= CAPACITY, "{number}");
        }
        assert!(verdicts.length() >= CAPACITY / 2);
        let newest = format!("token-{}", CAPACITY * 3 - 1);
        assert!(verdicts.get(&key(&newest), 1).is_some());
        assert!(verdicts.get(&key("token-0"), 1).is_none());
    }

    #[test]
    fn what_is_remembered_is_bounded_in_bytes() {
        let (verdicts, caller) = (Verdicts::default(), caller());
        let most = CAPACITY_BYTES / LONGEST_TOKEN;
        let token = |number: usize| key(&format!("{number:0LONGEST_TOKEN$}"));
        for number in 0..most * 3 {
            verdicts.put(token(number), 1, Arc::clone(&caller));
            assert!(verdicts.length() <= most, "{number}");
        }
        assert!(verdicts.get(&token(most * 3 - 1), 1).is_some());
    }

    #[test]
    fn a_token_that_is_used_again_is_not_forgotten_for_others() {
        let (verdicts, caller) = (Verdicts::default(), caller());
        verdicts.put(key("used"), 1, Arc::clone(&caller));
        for number in 0..CAPACITY * 3 {
            verdicts.put(key(&format!("token-{number}")), 1, Arc::clone(&caller));
            assert!(verdicts.get(&key("used"), 1).is_some(), "{number}");
        }
    }

    #[test]
    fn another_generation_remembers_nothing_and_longer_tokens_have_no_key() {
        let (verdicts, caller) = (Verdicts::default(), caller());
        let token = key("token");
        verdicts.put(token, 1, caller);
        assert!(verdicts.get(&token, 1).is_some());
        assert!(verdicts.get(&token, 2).is_none());
        assert!(verdicts.get(&token, 1).is_none());
        assert_eq!(Key::of("a".repeat(LONGEST_TOKEN + 1).as_bytes()), None);
    }
}
