//! Ranges of addresses that may be called although they are not public.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

/// A block of addresses in CIDR notation that a function may reach although they are not public.
///
/// A rule must allow the request all the same; a range only lifts the ban on the address behind the rule's host.
///
/// ```
/// use host_sandbox::outbound::AddressRange;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let range: AddressRange = "10.0.0.0/8".parse()?;
/// assert!(range.contains("10.1.2.3".parse()?));
/// assert!(!range.contains("11.0.0.0".parse()?));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AddressRange(IpNet);

/// Why a text is not a range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RangeError {
    /// It cannot be read.
    #[error(
        "{0:?} is not a range of addresses; expected an address such as 10.1.2.3 or a block such as 10.0.0.0/8 or fd00::/8"
    )]
    Syntax(String),
    /// The address has bits set that the prefix leaves open.
    #[error("{0:?} has bits set past its prefix; write {1} for the block, or the address alone")]
    HostBits(String, String),
}

impl AddressRange {
    /// Whether `address` is in the range; an IPv4 address mapped into IPv6 counts as what it is.
    #[inline]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address) || self.0.contains(&address.to_canonical())
    }
}

impl FromStr for AddressRange {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, RangeError> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(address.into()));
        }
        let block: IpNet = text
            .parse()
            .map_err(|_| RangeError::Syntax(text.to_owned()))?;
        if block.trunc() != block {
            return Err(RangeError::HostBits(
                text.to_owned(),
                block.trunc().to_string(),
            ));
        }
        Ok(Self(block))
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_an_address_or_a_block() {
        for (text, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("10.0.0.0/8", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3"),
            ("10.1.2.3", "10.1.2.3", "10.1.2.4"),
            ("fd00::/8", "fd12::1", "fc00::1"),
            ("::1", "::1", "::2"),
            ("::ffff:0:0/96", "::ffff:10.1.2.3", "10.1.2.3"),
        ] {
            let range: AddressRange = text.parse().unwrap();
            assert!(range.contains(inside.parse().unwrap()), "{text} {inside}");
            assert!(
                !range.contains(outside.parse().unwrap()),
                "{text} {outside}"
            );
            assert_eq!(range.to_string().parse(), Ok(range));
        }
    }

    #[test]
    fn what_is_not_a_range_is_refused_with_the_way_to_write_it() {
        for text in [
            "",
            "10",
            "10.0.0.0/33",
            "10.0.0/8",
            "localhost",
            "10.0.0.1:80",
            "[::1]",
        ] {
            let error = text.parse::<AddressRange>().unwrap_err();
            assert_eq!(error, RangeError::Syntax(text.to_owned()));
        }
        let error = "10.1.2.3/8".parse::<AddressRange>().unwrap_err();
        assert!(error.to_string().contains("write 10.0.0.0/8"), "{error}");
    }
}
