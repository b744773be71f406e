//! E-mail addresses, read in one way wherever one names somebody.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

/// An e-mail address: a local part, one `@`, and a domain. The domain is in lower case, since domains are compared without
/// case; the local part is compared as it is (RFC 5321, section 2.4).
///
/// ```
/// use host_tokens::{EmailAddress, EmailAddressError};
///
/// # fn main() -> Result<(), EmailAddressError> {
/// let address: EmailAddress = "Ada@Example.COM".parse()?;
/// assert_eq!((address.local(), address.domain()), ("Ada", "example.com"));
/// assert!("*@example.com".parse::<EmailAddress>().is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EmailAddress(String);

/// A text that is not an e-mail address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an e-mail address; expected one in ASCII with one @, such as caller@host.internal")]
pub struct EmailAddressError;

/// The longest address (RFC 5321, section 4.5.3.1.3, less the angle brackets).
const LONGEST: usize = 254;

impl EmailAddress {
    /// What stands before the `@`.
    pub fn local(&self) -> &str {
        self.parts().0
    }

    /// What stands behind the `@`, in lower case.
    pub fn domain(&self) -> &str {
        self.parts().1
    }

    fn parts(&self) -> (&str, &str) {
        // There is one in each.
        self.0.split_once('@').unwrap_or((&self.0, ""))
    }
}

/// The characters of an atom (RFC 5322, section 3.2.3) and dots. `*` is left out, since it would be taken for a pattern; a
/// local part in quotation marks is not taken, since programs differ on where such an address ends.
fn is_local(text: &str) -> bool {
    let is_atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'+-/=?^_`{|}~.".contains(&byte);
    !text.is_empty() && text.bytes().all(is_atom)
}

/// Whether `text` is a domain as an address has it. One in brackets is an address of a machine, not a domain.
pub(crate) fn is_domain(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    text.len() <= LONGEST
        && text
            .split('.')
            .all(|label| !label.is_empty() && label.bytes().all(is_part))
}

impl FromStr for EmailAddress {
    type Err = EmailAddressError;

    fn from_str(text: &str) -> Result<Self, EmailAddressError> {
        let parts = text.split_once('@').filter(|_| text.len() <= LONGEST);
        match parts {
            Some((local, domain)) if is_local(local) && is_domain(domain) => {
                Ok(Self(format!("{local}@{}", domain.to_ascii_lowercase())))
            }
            _ => Err(EmailAddressError),
        }
    }
}

impl Deref for EmailAddress {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<EmailAddress, EmailAddressError> {
        text.parse()
    }

    #[test]
    fn an_address_has_one_at_and_two_sides() {
        for text in [
            "ada@example.com",
            "ada.lovelace+tag@example.com",
            "1@localhost",
            "o'neil@a-b.example",
        ] {
            assert_eq!(read(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "ada@evil.example@example.com",
            "<ada@evil.example>@example.com",
            "\"ada@evil.example\"@example.com",
            "\"ada\"@example.com",
            "<ada>@example.com",
            "ada@[127.0.0.1]",
            "ada@example..com",
            "ada@.example.com",
            "ada@example.com.",
            "ada @example.com",
            "ada@example.com\n",
            "ada,bob@example.com",
            "*@example.com",
            "ada@*.example.com",
            "ada@exаmple.com",
            "ädä@example.com",
        ] {
            assert_eq!(read(text), Err(EmailAddressError), "{text}");
        }
        let longest = format!("{}@example.com", "a".repeat(LONGEST - 12));
        assert!(read(&longest).is_ok());
        assert_eq!(read(&format!("a{longest}")), Err(EmailAddressError));
    }

    #[test]
    fn domains_are_compared_without_case_and_local_parts_with_it() {
        assert_eq!(read("Ada@EXAMPLE.com"), read("Ada@example.COM"));
        assert_ne!(read("Ada@example.com"), read("ada@example.com"));
        let ada = read("Ada@Example.com").unwrap();
        assert_eq!((ada.local(), ada.domain()), ("Ada", "example.com"));
    }
}
