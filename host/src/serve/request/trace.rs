//! The place of an execution in a trace: W3C Trace Context, level 1.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::logs::Trace;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// `00-` trace `-` span `-` flags: `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`.
const LENGTH: usize = 55;
/// What a trace is begun with: nobody has asked for it to be sampled.
const NO_FLAGS: &[u8; 2] = b"00";

/// What a caller says of itself.
#[derive(Clone, Copy)]
struct Caller {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    flags: [u8; 2],
}

/// Gives the execution of this request a span of its own, in the trace that the caller names or in a new one, and tells
/// the function of it in the place of what the caller said. The span of the caller comes with it, if there is one.
pub(in crate::serve) fn enter(headers: &mut HeaderMap) -> (Trace, Option<[u8; 8]>) {
    let caller = caller(headers);
    if caller.is_none() {
        headers.remove(TRACESTATE);
    }
    let trace = Trace {
        trace_id: caller.map_or_else(rand::random, |caller| caller.trace_id),
        span_id: rand::random(),
    };
    let flags = caller.map_or(*NO_FLAGS, |caller| caller.flags);
    headers.insert(TRACEPARENT, header(&trace, flags));
    (trace, caller.map(|caller| caller.span_id))
}

/// The one whom the headers name, if they name just one and that as they should (section 3.2).
fn caller(headers: &HeaderMap) -> Option<Caller> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let value = value.as_bytes();
    let (known, rest) = value.split_at_checked(LENGTH)?;
    let version = byte(&known[..2])?;
    // A later version may say more behind another dash; the first one does not, and 255 is none.
    let is_whole = rest.is_empty() || (version > 0 && rest[0] == b'-');
    let dashes = [known[2], known[35], known[52]];
    if version == 0xff || !is_whole || dashes != [b'-'; 3] {
        return None;
    }
    let mut trace_id = [0; 16];
    let mut span_id = [0; 8];
    bytes(&known[3..35], &mut trace_id)?;
    bytes(&known[36..52], &mut span_id)?;
    byte(&known[53..])?;
    let is_named = trace_id != [0; 16] && span_id != [0; 8];
    is_named.then_some(Caller {
        trace_id,
        span_id,
        flags: [known[53], known[54]],
    })
}

fn header(trace: &Trace, flags: [u8; 2]) -> HeaderValue {
    let mut text = [b'-'; LENGTH];
    text[..2].copy_from_slice(b"00");
    hex(&trace.trace_id, &mut text[3..35]);
    hex(&trace.span_id, &mut text[36..52]);
    text[53..].copy_from_slice(&flags);
    // Digits, letters and dashes make a header.
    HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

fn bytes(text: &[u8], out: &mut [u8]) -> Option<()> {
    for (pair, out) in text.chunks_exact(2).zip(out) {
        *out = byte(pair)?;
    }
    Some(())
}

/// Two digits in lower case (section 3.2.2: upper case is not valid).
fn byte(pair: &[u8]) -> Option<u8> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    Some(digit(pair[0])? << 4 | digit(pair[1])?)
}

fn hex(bytes: &[u8], out: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, out) in bytes.iter().zip(out.chunks_exact_mut(2)) {
        out[0] = DIGITS[usize::from(byte >> 4)];
        out[1] = DIGITS[usize::from(byte & 15)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of section 3.2.4.
    const EXAMPLE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn with(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(TRACEPARENT, HeaderValue::from_str(value).unwrap());
        }
        headers.insert(TRACESTATE, HeaderValue::from_static("congo=t61rcWkgMzE"));
        headers
    }

    fn told(headers: &HeaderMap) -> String {
        assert_eq!(headers.get_all(TRACEPARENT).iter().count(), 1);
        headers[TRACEPARENT].to_str().unwrap().to_owned()
    }

    #[test]
    fn an_execution_is_a_span_of_its_own_in_the_callers_trace() {
        let mut headers = with(&[EXAMPLE]);
        let (trace, parent) = enter(&mut headers);
        assert_eq!(
            parent,
            Some([0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31])
        );
        let told = told(&headers);
        assert!(told.starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
        assert!(told.ends_with("-01"), "its flags stay");
        assert!(!told.contains("b7ad6b7169203331"), "{told}");
        assert_eq!(headers[TRACESTATE], "congo=t61rcWkgMzE");
        let again = super::caller(&headers).unwrap();
        assert_eq!(again.trace_id, trace.trace_id);
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let later = EXAMPLE.replacen("00", "cc", 1);
        for value in [later.clone(), format!("{later}-what-the-future-says")] {
            let told = {
                let mut headers = with(&[&value]);
                enter(&mut headers);
                told(&headers)
            };
            assert!(told.starts_with("00-0af7651916cd43dd8448eb211c80319c-"));
        }
    }

    #[test]
    fn what_is_no_trace_begins_a_new_one() {
        let bad = [
            "",
            "00",
            &EXAMPLE[..54],
            &format!("{EXAMPLE}-more"),
            &EXAMPLE.replacen("00", "ff", 1),
            &EXAMPLE.to_uppercase(),
            &EXAMPLE.replace('-', "_"),
            &EXAMPLE.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            &EXAMPLE.replace("b7ad6b7169203331", &"0".repeat(16)),
            &EXAMPLE.replace("b7ad", "xyz1"),
        ];
        for value in bad {
            let mut headers = with(&[value]);
            let (trace, parent) = enter(&mut headers);
            assert_eq!(parent, None);
            assert!(!told(&headers).contains("0af7651916cd43dd"), "{value}");
            assert_ne!(trace.trace_id, [0; 16]);
            assert!(!headers.contains_key(TRACESTATE), "{value}");
        }
        let mut twice = with(&[EXAMPLE, EXAMPLE]);
        enter(&mut twice);
        assert!(!told(&twice).contains("0af7651916cd43dd"));
    }
}
