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
