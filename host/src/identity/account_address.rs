//! The parts of a service account's address.

use host_tokens::SERVICE_ACCOUNT_DOMAIN;

/// The longest domain, in bytes.
const LONGEST_DOMAIN: usize = 200;

/// Makes sure that `text` can stand before the `@`: as gcloud has it, or shorter.
///
/// # Errors
/// If it cannot.
pub fn check_account_name(text: &str) -> Result<(), String> {
    let is_name = (1..=30).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && !text.ends_with('-')
        && text.bytes().all(is_of_label);
    match is_name {
        true => Ok(()),
        false => Err(format!(
            "`{text}` is not the name of a service account; expected a lower-case letter, then up to 29 of a-z, 0-9 and -, \
             the last one not -"
        )),
    }
}

/// Makes sure that `text` can stand behind the `@`.
///
/// # Errors
/// If it cannot.
pub fn check_account_domain(text: &str) -> Result<(), String> {
    let is_label = |label: &str| !label.is_empty() && label.bytes().all(is_of_label);
    match text.len() <= LONGEST_DOMAIN && text.split('.').all(is_label) {
        true => Ok(()),
        false => Err(format!(
            "`{text}` is not a domain; expected one in lower case, such as {SERVICE_ACCOUNT_DOMAIN}"
        )),
    }
}

const fn is_of_label(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_label_of_30_bytes_at_most() {
        for good in ["a", "my-account-1", &"a".repeat(30)] {
            assert_eq!(check_account_name(good), Ok(()), "{good}");
        }
        for bad in ["", "1a", "a-", "A", "a_b", "a.b", "a@b", &"a".repeat(31)] {
            assert!(check_account_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_domain_is_labels_of_200_bytes_at_most() {
        let longest = "a".repeat(LONGEST_DOMAIN);
        for good in ["host.internal", "p.iam.gserviceaccount.com", &longest] {
            assert_eq!(check_account_domain(good), Ok(()), "{good}");
        }
        let long = "a".repeat(LONGEST_DOMAIN + 1);
        for bad in ["", "a..b", "A.b", "a b", &long] {
            assert!(check_account_domain(bad).is_err(), "{bad}");
        }
    }
}
