//! What a process and its compiler tell each other.
//!
//! The compiler gets an [`Order`] and the component on its standard input, which stays open for as long as somebody
//! waits. It answers on its standard output with a [`Heading`] and what that announces.

use crate::generation::Generation;

/// What comes before the component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Order {
    /// Memory that the compiler may take, in bytes.
    pub(super) memory: u64,
    /// Processor time that it may take, in seconds.
    pub(super) cpu: u64,
    /// The length of the component.
    pub(super) length: u64,
    /// What it is compiled for.
    pub(super) generation: Generation,
}

impl Order {
    pub(super) const LENGTH: usize = 32;

    pub(super) fn to_bytes(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        let is_concurrent = u64::from(self.generation == Generation::Wasi03);
        let fields = [self.memory, self.cpu, self.length, is_concurrent];
        for (place, field) in bytes.chunks_exact_mut(8).zip(fields) {
            place.copy_from_slice(&field.to_le_bytes());
        }
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Self {
        let mut fields = bytes.chunks_exact(8).map(read);
        let mut next = || fields.next().unwrap_or_default();
        Self {
            memory: next(),
            cpu: next(),
            length: next(),
            generation: match next() {
                0 => Generation::Wasi02,
                _ => Generation::Wasi03,
            },
        }
    }
}

/// What comes before an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heading {
    /// The compiled component follows, for an engine with this [`fingerprint`](crate::engine::fingerprint).
    Compiled(u64),
    /// The reason why there is none follows.
    Refused,
}

impl Heading {
    pub(super) const LENGTH: usize = 16;

    const COMPILED: &[u8; 8] = b"compiled";
    const REFUSED: &[u8; 8] = b"refused\0";

    pub(super) fn to_bytes(self) -> [u8; Self::LENGTH] {
        let (kind, fingerprint) = match self {
            Self::Compiled(fingerprint) => (Self::COMPILED, fingerprint),
            Self::Refused => (Self::REFUSED, 0),
        };
        let mut bytes = [0; Self::LENGTH];
        bytes[..8].copy_from_slice(kind);
        bytes[8..].copy_from_slice(&fingerprint.to_le_bytes());
        bytes
    }

    /// Nothing, if these bytes are no heading.
    pub(super) fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Option<Self> {
        let (kind, fingerprint) = bytes.split_at(8);
        match kind {
            kind if kind == Self::COMPILED => Some(Self::Compiled(read(fingerprint))),
            kind if kind == Self::REFUSED => Some(Self::Refused),
            _ => None,
        }
    }
}

fn read(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for generation in [Generation::Wasi02, Generation::Wasi03] {
            let order = Order {
                memory: 400 << 20,
                cpu: 300,
                length: u64::MAX,
                generation,
            };
            assert_eq!(Order::from_bytes(&order.to_bytes()), order);
        }
        for heading in [Heading::Compiled(u64::MAX - 5), Heading::Refused] {
            assert_eq!(Heading::from_bytes(&heading.to_bytes()), Some(heading));
        }
        assert_eq!(Heading::from_bytes(b"neither of these"), None);
    }
}
