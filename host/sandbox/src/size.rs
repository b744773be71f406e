//! Sizes as people read them.

use std::fmt;

/// A number of bytes, shown with the largest unit of which it has one: `64 KiB`, `1.5 MiB`. Nothing but 0 is shown as 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) u64);

const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(bytes) = *self;
        let Some((factor, unit)) = UNITS.into_iter().find(|(factor, _)| bytes >= *factor) else {
            return match bytes {
                1 => f.write_str("1 byte"),
                _ => write!(f, "{bytes} bytes"),
            };
        };
        match (bytes / factor, bytes % factor) {
            (whole, 0) => write!(f, "{whole} {unit}"),
            // Rounded down, so that no limit looks larger than it is.
            (whole, rest) => {
                let tenths = u128::from(rest) * 10 / u128::from(factor);
                write!(f, "{whole}.{tenths} {unit}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_unit_is_taken_that_does_not_round_to_nothing() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1, "1 byte"),
            (1023, "1023 bytes"),
            (1024, "1 KiB"),
            (64 << 10, "64 KiB"),
            ((1 << 20) - 1, "1023.9 KiB"),
            (1 << 20, "1 MiB"),
            (3 << 19, "1.5 MiB"),
            (256 << 20, "256 MiB"),
            (1 << 30, "1 GiB"),
            (u64::MAX, "17179869183.9 GiB"),
        ] {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }
}
