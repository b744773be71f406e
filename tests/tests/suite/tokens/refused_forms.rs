//! What a host makes of tokens whose encoding is not the one that there is: lines 13 to 15 of the list.

use serde_json::json;
use tests::Door;

#[test]
fn line_13_there_is_one_encoding_of_a_token() {
    let door = Door::start();
    let good = door.token(json!({}));
    door.opens(&good, "as it was made");
    let parts: Vec<&str> = good.split('.').collect();
    let [header, payload, signature] = parts[..] else {
        panic!("three parts");
    };
    // 64 bytes leave four bits of the last character loose, which are 0.
    let (rest, last) = signature.split_at(signature.len() - 1);
    let loose = match last {
        "A" => "B",
        "Q" => "R",
        "g" => "h",
        _ => "x",
    };
    for (what, token) in [
        ("padding", format!("{good}==")),
        ("padding within", format!("{header}=.{payload}.{signature}")),
        ("loose bits", format!("{header}.{payload}.{rest}{loose}")),
        ("+", format!("{header}.{payload}.+{}", &signature[1..])),
        ("/", format!("{header}.{payload}./{}", &signature[1..])),
        ("a space", format!("{header}.{payload} .{signature}")),
        ("a tab", format!("{header}.\t{payload}.{signature}")),
        (
            "another alphabet",
            format!("{header}.{payload}.\u{e4}{signature}"),
        ),
    ] {
        door.refuses(&token, "encoding", what);
    }
    for (what, token) in [
        ("two parts", format!("{header}.{payload}")),
        ("four parts", format!("{good}.{signature}")),
        ("one part", header.to_owned()),
    ] {
        door.refuses(&token, "parts", what);
    }
    for (what, token) in [
        ("no header", format!(".{payload}.{signature}")),
        ("no payload", format!("{header}..{signature}")),
        ("no signature", format!("{header}.{payload}.")),
        ("nothing", "..".to_owned()),
    ] {
        door.refuses(&token, "empty_part", what);
    }
}

#[test]
fn line_14_a_payload_is_one_object_that_two_readers_read_alike() {
    let door = Door::start();
    let claims = door.claims(json!({})).to_string();
    let header = json!({"alg": "ES256", "kid": "first", "typ": "JWT"}).to_string();
    let sign = |payload: &[u8]| door.issuer.key().sign_text(&header, payload);
    door.opens(&sign(claims.as_bytes()), "as it should be");
    let inner = &claims[1..claims.len() - 1];
    let nested = |levels: usize| {
        format!(
            "{{{inner},\"x\":{}{}}}",
            "[".repeat(levels),
            "]".repeat(levels)
        )
    };
    door.opens(&sign(nested(31).as_bytes()), "32 levels");
    let mut not_utf8 = format!("{{{inner},\"x\":\"").into_bytes();
    not_utf8.extend(b"\xff\"}");
    for (what, payload) in [
        ("a list", format!("[{claims}]").into_bytes()),
        ("a text", json!(claims).to_string().into_bytes()),
        ("null", b"null".to_vec()),
        ("a number", b"7".to_vec()),
        ("bad UTF-8", not_utf8),
        (
            "a byte order mark",
            format!("\u{feff}{claims}").into_bytes(),
        ),
        ("bytes behind", format!("{claims}x").into_bytes()),
        (
            "another object behind",
            format!("{claims}{claims}").into_bytes(),
        ),
        ("a NUL behind", format!("{claims}\0").into_bytes()),
        ("33 levels", nested(32).into_bytes()),
        ("deep", nested(3000).into_bytes()),
        (
            "a member twice",
            format!("{{{inner},\"sub\":\"ada\"}}").into_bytes(),
        ),
        (
            "twice, escaped",
            format!("{{{inner},\"s\\u0075b\":\"ada\"}}").into_bytes(),
        ),
        (
            "twice, within",
            format!("{{{inner},\"x\":[{{\"y\":1,\"y\":1}}]}}").into_bytes(),
        ),
    ] {
        door.refuses(&sign(&payload), "json", what);
    }
    for header in [
        "[]",
        "{\"alg\":\"ES256\",\"alg\":\"ES256\",\"kid\":\"first\"}",
        "{} {}",
    ] {
        door.refuses(
            &door.issuer.key().sign_text(header, &claims),
            "json",
            header,
        );
    }
}

#[test]
fn line_15_what_is_too_long_is_not_read() {
    let door = Door::start();
    let long = door.token(json!({"x": "x".repeat(11_000)}));
    assert!(long.len() < 16 * 1024, "{}", long.len());
    door.opens(&long, "as long as may be");
    let longer = door.token(json!({"x": "x".repeat(13_000)}));
    assert!(longer.len() > 16 * 1024, "{}", longer.len());
    door.refuses(&longer, "too_long", "a good signature over too much");
    door.refuses(&".".repeat(60_000), "too_long", "sixty thousand dots");
    // More than fits into any head is not even a token.
    let mut wire = door.host.connect();
    let dots = ".".repeat(128 * 1024);
    let sent = wire.try_send(format!(
        "GET /f HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {dots}\r\n\r\n"
    ));
    // The host need not read it to the end.
    drop(sent);
    assert_eq!(wire.read_head().status, 431);
}
