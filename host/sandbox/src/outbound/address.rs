//! Which addresses are public. Calls to all others are refused, unless an operator has named them.
//!
//! For servers that call out by the same rules.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6(a: u16, b: u16, c: u16, length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length)
}

/// The blocks of IPv4 that are not for the public (IANA IPv4 Special-Purpose Address Registry, RFC 6890), multicast
/// and what is reserved.
const SPECIAL_V4: [(Ipv4Net, &str); 16] = [
    (v4(0, 0, 0, 0, 8), "an unspecified address"),
    (v4(10, 0, 0, 0, 8), "a private address"),
    (
        v4(100, 64, 0, 0, 10),
        "a shared (carrier-grade NAT) address",
    ),
    (v4(127, 0, 0, 0, 8), "a loopback address"),
    (v4(169, 254, 0, 0, 16), "a link-local address"),
    // Not in the registry: Azure's virtual machines alone reach it (Microsoft, "What is IP address 168.63.129.16?").
    (v4(168, 63, 129, 16, 32), "the address of Azure's host"),
    (v4(172, 16, 0, 0, 12), "a private address"),
    (v4(192, 0, 0, 0, 24), "an address of IETF protocols"),
    (v4(192, 0, 2, 0, 24), "a documentation address"),
    (v4(192, 88, 99, 0, 24), "a 6to4 relay's address"),
    (v4(192, 168, 0, 0, 16), "a private address"),
    (v4(198, 18, 0, 0, 15), "a benchmarking address"),
    (v4(198, 51, 100, 0, 24), "a documentation address"),
    (v4(203, 0, 113, 0, 24), "a documentation address"),
    (v4(224, 0, 0, 0, 4), "a multicast address"),
    (v4(240, 0, 0, 0, 4), "a reserved address"),
];

/// The blocks of IPv6 that are not for the public (IANA IPv6 Special-Purpose Address Registry), the first that fits
/// first. Forms that carry an IPv4 address to whoever translates them are here whole, save NAT64's well-known one.
const SPECIAL_V6: [(Ipv6Net, &str); 11] = [
    (v6(0x2001, 0, 0, 32), "a Teredo address"),
    (v6(0x2001, 0, 0, 23), "an address of IETF protocols"),
    (v6(0x2001, 0xdb8, 0, 32), "a documentation address"),
    (v6(0x2002, 0, 0, 16), "a 6to4 address"),
    (v6(0x3fff, 0, 0, 20), "a documentation address"),
    (v6(0x64, 0xff9b, 1, 48), "a local NAT64 address"),
    (v6(0x100, 0, 0, 64), "a discard-only address"),
    (v6(0xfc00, 0, 0, 7), "a private (unique local) address"),
    (v6(0xfe80, 0, 0, 10), "a link-local address"),
    (v6(0xfec0, 0, 0, 10), "a site-local address"),
    (v6(0xff00, 0, 0, 8), "a multicast address"),
];

/// All of IPv6 that is given out to the public so far (RFC 4291, section 2.5.4, and IANA's registry).
const GLOBAL_UNICAST: Ipv6Net = v6(0x2000, 0, 0, 3);
/// RFC 6052, section 2.1. Hosts with IPv6 only reach public IPv4 through it.
const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 96);

/// What sets `address` apart from public ones, with its article; `None` if it is public.
///
/// ```
/// use host_sandbox::outbound::address::special;
///
/// assert_eq!(special([10, 1, 2, 3].into()), Some("a private address"));
/// assert_eq!(special([1, 1, 1, 1].into()), None);
/// ```
pub fn special(address: IpAddr) -> Option<&'static str> {
    match address.to_canonical() {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => special_v6(address),
    }
}

fn special_v4(address: Ipv4Addr) -> Option<&'static str> {
    SPECIAL_V4
        .iter()
        .find(|(block, _)| block.contains(&address))
        .map(|(_, kind)| *kind)
}

fn special_v6(address: Ipv6Addr) -> Option<&'static str> {
    if NAT64.contains(&address) {
        let [.., a, b, c, d] = address.octets();
        return special_v4(Ipv4Addr::new(a, b, c, d));
    }
    if address.is_loopback() {
        return Some("a loopback address");
    }
    if address.is_unspecified() {
        return Some("an unspecified address");
    }
    SPECIAL_V6
        .iter()
        .find(|(block, _)| block.contains(&address))
        .map(|(_, kind)| *kind)
        .or_else(|| (!GLOBAL_UNICAST.contains(&address)).then_some("a reserved address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(address: &str) -> Option<&'static str> {
        special(address.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_public_up_to_the_edge_of_each_special_block() {
        for address in [
            "1.0.0.0",
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.31.196.1",
            "192.52.193.1",
            "192.175.48.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2620:4f:8000::1",
            "3ffe:ffff::1",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
        ] {
            assert_eq!(kind(address), None, "{address}");
        }
    }

    #[test]
    fn each_row_of_the_ipv4_registry_is_refused_from_first_to_last() {
        for (first, last, expected) in [
            ("0.0.0.0", "0.255.255.255", "an unspecified address"),
            ("10.0.0.0", "10.255.255.255", "a private address"),
            (
                "100.64.0.0",
                "100.127.255.255",
                "a shared (carrier-grade NAT) address",
            ),
            ("127.0.0.0", "127.255.255.255", "a loopback address"),
            ("169.254.0.0", "169.254.255.255", "a link-local address"),
            ("172.16.0.0", "172.31.255.255", "a private address"),
            ("192.0.0.0", "192.0.0.255", "an address of IETF protocols"),
            ("192.0.2.0", "192.0.2.255", "a documentation address"),
            ("192.88.99.0", "192.88.99.255", "a 6to4 relay's address"),
            ("192.168.0.0", "192.168.255.255", "a private address"),
            ("198.18.0.0", "198.19.255.255", "a benchmarking address"),
            ("198.51.100.0", "198.51.100.255", "a documentation address"),
            ("203.0.113.0", "203.0.113.255", "a documentation address"),
            ("224.0.0.0", "239.255.255.255", "a multicast address"),
            ("240.0.0.0", "255.255.255.255", "a reserved address"),
        ] {
            assert_eq!(kind(first), Some(expected), "{first}");
            assert_eq!(kind(last), Some(expected), "{last}");
        }
    }

    #[test]
    fn each_row_of_the_ipv6_registry_is_refused_from_first_to_last() {
        for (first, last, expected) in [
            ("::", "::", "an unspecified address"),
            ("::1", "::1", "a loopback address"),
            (
                "64:ff9b:1::",
                "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
                "a local NAT64 address",
            ),
            (
                "100::",
                "100::ffff:ffff:ffff:ffff",
                "a discard-only address",
            ),
            (
                "100:0:0:1::",
                "100:0:0:1:ffff:ffff:ffff:ffff",
                "a reserved address",
            ),
            (
                "2001::",
                "2001:0:ffff:ffff:ffff:ffff:ffff:ffff",
                "a Teredo address",
            ),
            ("2001:1::1", "2001:1::3", "an address of IETF protocols"),
            (
                "2001:2::",
                "2001:2:0:ffff:ffff:ffff:ffff:ffff",
                "an address of IETF protocols",
            ),
            (
                "2001:3::",
                "2001:3:ffff:ffff:ffff:ffff:ffff:ffff",
                "an address of IETF protocols",
            ),
            (
                "2001:10::",
                "2001:3f:ffff:ffff:ffff:ffff:ffff:ffff",
                "an address of IETF protocols",
            ),
            (
                "2001:db8::",
                "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff",
                "a documentation address",
            ),
            (
                "2002::",
                "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "a 6to4 address",
            ),
            (
                "3fff::",
                "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff",
                "a documentation address",
            ),
            ("4000::", "4000::1", "a reserved address"),
            (
                "5f00::",
                "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "a reserved address",
            ),
            (
                "fc00::",
                "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "a private (unique local) address",
            ),
            (
                "fe80::",
                "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "a link-local address",
            ),
            (
                "fec0::",
                "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "a site-local address",
            ),
            (
                "ff00::",
                "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
                "a multicast address",
            ),
        ] {
            assert_eq!(kind(first), Some(expected), "{first}");
            assert_eq!(kind(last), Some(expected), "{last}");
        }
    }

    #[test]
    fn an_ipv4_address_inside_an_ipv6_one_is_no_way_round() {
        for address in [
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "::1.1.1.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1.1.1.1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        ] {
            assert!(kind(address).is_some(), "{address}");
        }
    }
}
