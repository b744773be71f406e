//! The examples of the RFCs that define signed tokens.

use serde_json::{Value, json};

use crate::judge::refusal::Refusal;
use crate::keys::key::VerifyingKey;
use crate::token::jws::CompactParts;

/// The claims of RFC 7515, appendices A.2 and A.3.
const JOE: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

/// The verdict on the signature alone: the payloads of some examples are no claims.
fn verify(token: &str, jwk: &Value) -> Result<(), Refusal> {
    let parts = CompactParts::read(token).unwrap();
    let key = VerifyingKey::read(jwk.as_object().unwrap()).unwrap();
    key.verify(
        parts.header.algorithm,
        parts.signed.as_bytes(),
        &parts.signature,
    )
}

/// Accepts the example, and refuses it once its payload is another.
fn check(header: &str, payload: &str, signature: &str, jwk: &Value) {
    let token = format!("{header}.{payload}.{signature}");
    assert_eq!(verify(&token, jwk), Ok(()));
    let changed = format!("{header}.Zm9v.{signature}");
    assert_eq!(verify(&changed, jwk), Err(Refusal::Signature));
}

#[test]
fn rfc_7515_a_2_rs256() {
    let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0B\
        m4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5\
        z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7\
        aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2F\
        p5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQB\
        MHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeY\
        I2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    check(
        "eyJhbGciOiJSUzI1NiJ9",
        JOE,
        signature,
        &json!({"kty": "RSA", "n": n, "e": "AQAB"}),
    );
}

#[test]
fn rfc_7515_a_3_es256() {
    let jwk = json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let signature =
        "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    check("eyJhbGciOiJFUzI1NiJ9", JOE, signature, &jwk);
}

#[test]
fn rfc_7515_a_4_es512() {
    let jwk = json!({
        "kty": "EC",
        "crv": "P-521",
        "x": "AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk",
        "y": "ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2",
    });
    let signature = "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG\
        8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn";
    check("eyJhbGciOiJFUzUxMiJ9", "UGF5bG9hZA", signature, &jwk);
}

#[test]
fn rfc_8037_a_4_ed25519() {
    let jwk = json!({
        "kty": "OKP",
        "crv": "Ed25519",
        "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    });
    let signature =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    check(
        "eyJhbGciOiJFZERTQSJ9",
        "RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
        signature,
        &jwk,
    );
}

#[test]
fn rfc_7515_a_5_an_unsecured_token_is_refused() {
    let token = format!("eyJhbGciOiJub25lIn0.{JOE}.");
    assert!(matches!(
        CompactParts::read(&token),
        Err(Refusal::EmptyPart(_))
    ));
    let token = format!("eyJhbGciOiJub25lIn0.{JOE}.AAAA");
    assert!(matches!(
        CompactParts::read(&token),
        Err(Refusal::Unsigned(_))
    ));
}
