//! The name of one execution.

use std::fmt;

const ALPHABET: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";

/// The length of an execution id in characters, as Cloud Functions has it.
pub const EXECUTION_ID_LENGTH: usize = 12;

/// Names one execution: 12 characters of `a-z0-9`, drawn at random.
///
/// It stands in the response header `Function-Execution-Id` and in each log entry of the execution.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ExecutionId([u8; EXECUTION_ID_LENGTH]);

impl ExecutionId {
    /// Draws an id from the thread's cryptographic generator, so that ids cannot be guessed.
    pub fn random() -> Self {
        Self::from_number(rand::random())
    }

    /// The id that `text` is; nothing if it is none.
    pub fn read(text: &str) -> Option<Self> {
        let characters: [u8; EXECUTION_ID_LENGTH] = text.as_bytes().try_into().ok()?;
        let is_id = characters.iter().all(|byte| ALPHABET.contains(byte));
        is_id.then_some(Self(characters))
    }

    /// The id that `number` spells in base 36; its top bits are not used.
    fn from_number(mut number: u64) -> Self {
        let mut characters = [0; EXECUTION_ID_LENGTH];
        for character in &mut characters {
            *character = ALPHABET[(number % 36) as usize];
            number /= 36;
        }
        Self(characters)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        // Every byte comes from the ASCII alphabet above, so the fallback is never taken.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The id as ASCII bytes.
    pub fn as_bytes(&self) -> &[u8; EXECUTION_ID_LENGTH] {
        &self.0
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_twelve_characters_of_lower_case_letters_and_digits() {
        for number in [0, 1, 35, 36, u64::MAX] {
            let id = ExecutionId::from_number(number);
            assert_eq!(id.as_str().len(), 12);
            assert!(id.as_str().bytes().all(|byte| ALPHABET.contains(&byte)));
        }
    }

    #[test]
    fn two_draws_differ() {
        assert_ne!(ExecutionId::random(), ExecutionId::random());
    }
}
