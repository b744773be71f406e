//! RSA keys whose primes were chosen from too few (ROCA, CVE-2017-15361): who knows the public key can find the private
//! one.
//!
//! The library that made them took powers of 65537 modulo a product of small primes, so the modulus is such a power modulo
//! each of these (Nemec and others, "The Return of Coppersmith's Attack", 2017). One of another origin is so with a chance
//! of 1 in 2^27.

/// The primes up to 167 modulo which not every number is a power of 65537. Larger ones tell no more of small keys.
const PRIMES: [u32; 17] = [
    11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
];
const GENERATOR: u32 = 65537;

/// Whether a modulus, its first byte the highest, was made so.
pub(super) fn is_weak(modulus: &[u8]) -> bool {
    PRIMES
        .iter()
        .all(|prime| is_power(remainder(modulus, *prime), *prime))
}

fn remainder(number: &[u8], prime: u32) -> u32 {
    number
        .iter()
        .fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime)
}

/// Whether `value` is a power of the generator modulo `prime`.
fn is_power(value: u32, prime: u32) -> bool {
    let mut power = 1;
    loop {
        if power == value {
            return true;
        }
        power = power * (GENERATOR % prime) % prime;
        if power == 1 {
            return false;
        }
    }
}
