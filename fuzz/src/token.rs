//! The reader of tokens: no input makes it panic, it lets in nothing that was not signed, and what it lets in is what an
//! ordinary JSON parser reads as well.

#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use host_tokens::{Algorithm, IssuerConfig, KeySet, Refusal, Verified, Verifier};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

const ISSUER: &str = "https://issuer.example";
const AUDIENCE: &str = "https://host.example/hello";
/// The moment at which tokens are judged, in seconds since 1970.
const NOW: u64 = 1_700_000_000;

struct Door {
    signer: Ed25519KeyPair,
    keys: KeySet,
    verifier: Verifier,
}

static DOOR: LazyLock<Door> = LazyLock::new(|| {
    let signer = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed of 32 bytes");
    let x = URL_SAFE_NO_PAD.encode(signer.public_key());
    let keys = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": x}]});
    let issuer = ISSUER.parse().expect("an issuer's URL");
    let config = IssuerConfig::new(issuer, [Algorithm::EdDsa]);
    Door {
        signer,
        keys: KeySet::read(keys.to_string().as_bytes()).expect("a key set"),
        verifier: Verifier::new(config, [AUDIENCE.to_owned()]),
    }
});

impl Door {
    /// The verdict, which is the same in whatever way it is asked for.
    fn judge(&self, token: &str) -> Result<Verified, Refusal> {
        let now: SystemTime = UNIX_EPOCH + Duration::from_secs(NOW);
        let verdict = self.verifier.verify(token, &self.keys, now);
        let steps = self.verifier.explain(token, &self.keys, now);
        let refusal = steps.into_iter().find_map(|step| step.refusal);
        assert_eq!(verdict.as_ref().err(), refusal.as_ref(), "{token}");
        if let Ok(verified) = &verdict {
            assert!(self.verifier.verify_again(verified, now).is_ok(), "{token}");
        }
        verdict
    }

    /// A token of this header and payload with a good signature.
    fn sign(&self, header: &[u8], payload: &[u8]) -> String {
        let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
        let signed = format!("{header}.{payload}");
        let signature = URL_SAFE_NO_PAD.encode(self.signer.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

// The first byte says whether the rest is a token as it came, or a header and a payload, with a line's end between
// them, to be signed.
fuzz_target!(|data: &[u8]| {
    let Some((mode, rest)) = data.split_first() else {
        return;
    };
    if mode % 2 == 0 {
        if let Ok(token) = str::from_utf8(rest) {
            let verdict = DOOR.judge(token);
            assert!(verdict.is_err(), "nobody signed {token}");
        }
        return;
    }
    let mut parts = rest.splitn(2, |byte| *byte == b'\n');
    let (header, payload) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    if DOOR.judge(&DOOR.sign(header, payload)).is_ok() {
        let header: Value = serde_json::from_slice(header).expect("the header is JSON");
        let claims: Value = serde_json::from_slice(payload).expect("the payload is JSON");
        assert_eq!(header["alg"], "EdDSA");
        assert_eq!(header.get("crit"), None);
        assert_eq!(claims["iss"], ISSUER);
        let audience = &claims["aud"];
        let is_for_us = |audience: &Value| audience == AUDIENCE;
        assert!(
            is_for_us(audience)
                || audience
                    .as_array()
                    .is_some_and(|all| all.iter().any(is_for_us))
        );
        assert!(
            claims["sub"]
                .as_str()
                .is_some_and(|subject| !subject.is_empty())
        );
        assert!(
            claims["exp"]
                .as_f64()
                .is_some_and(|expiry| expiry + 60.0 > NOW as f64)
        );
    }
});
