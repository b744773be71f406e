//! Types of the standard library that say more when they refuse a value, or take more.

use std::ffi::OsStr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};

use super::super::Value;

macro_rules! numbers {
    ($($Number:ty => $Plain:ty, $bounds:literal;)*) => {
        $(
            impl Value for $Number {
                type Plain = $Plain;
                const NAME: &'static str = "N";
                const BOUNDS: &'static str = $bounds;

                fn read(text: &OsStr) -> Result<Self, String> {
                    let text = text.to_string_lossy();
                    let number = text.parse();
                    number.map_err(|_| format!("`{text}` is no such number; expected {}", Self::BOUNDS))
                }

                fn plain(self) -> $Plain {
                    self.into()
                }
            }
        )*
    };
}

numbers! {
    usize => usize, "0 or more";
    NonZeroUsize => usize, "1 or more";
    NonZeroU32 => u32, "1 to 4294967295";
}

impl Value for PathBuf {
    type Plain = Self;
    const NAME: &'static str = "FILE";
    const BOUNDS: &'static str = "a file";

    fn read(text: &OsStr) -> Result<Self, String> {
        match text.is_empty() {
            true => Err("the name is empty; expected that of a file".into()),
            false => Ok(text.into()),
        }
    }

    fn plain(self) -> Self {
        self
    }

    fn below(self, directory: &Path) -> Self {
        directory.join(self)
    }
}
