//! Sizes, with binary and decimal units.

/// What is in a JSON Schema of a size.
pub(super) const SIZE: &str = "^0*[1-9][0-9]*(Ki|KiB|Mi|MiB|Gi|GiB|k|KB|M|MB|G|GB)?$";
/// The same of one that may be `unlimited`.
pub(super) const BOUND: &str = "^(0*[1-9][0-9]*(Ki|KiB|Mi|MiB|Gi|GiB|k|KB|M|MB|G|GB)?|unlimited)$";

/// Parses a number of bytes: `1048576`, `512Ki`, `256Mi`, `1Gi`, also `256MB` and the like, as gcloud takes them.
pub(crate) fn bytes(text: &str) -> Result<u64, String> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor: u64 = match unit {
        "" => 1,
        "Ki" | "KiB" => 1 << 10,
        "Mi" | "MiB" => 1 << 20,
        "Gi" | "GiB" => 1 << 30,
        "k" | "KB" => 1_000,
        "M" | "MB" => 1_000_000,
        "G" | "GB" => 1_000_000_000,
        _ => return Err(expected_bytes(text)),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| expected_bytes(text))
}

fn expected_bytes(text: &str) -> String {
    format!(
        "`{text}` is not a size; expected a number above 0 with an optional unit, such as 512Ki, 256Mi or 1Gi"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_and_decimal_units() {
        assert_eq!(bytes("1"), Ok(1));
        assert_eq!(bytes("256Mi"), Ok(256 << 20));
        assert_eq!(bytes("256MB"), Ok(256_000_000));
        assert_eq!(bytes("1GiB"), Ok(1 << 30));
    }

    #[test]
    fn what_is_no_size_is_refused_with_examples() {
        for text in [
            "",
            "Mi",
            "-1",
            "0",
            "1.5Mi",
            "1 Mi",
            "1mi",
            "99999999999999999999",
            "99999999999Gi",
        ] {
            assert!(bytes(text).unwrap_err().contains("256Mi"), "{text}");
        }
    }
}
