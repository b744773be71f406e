//! What a list of settings is made into.

use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

/// A value as people write it, in a file and as a flag. The type refuses what is not allowed.
pub trait Value: Clone + FromStr<Err: fmt::Display> {
    /// As the program works with it.
    type Plain: Clone + Send + Sync + 'static;
    /// What help calls such a value, such as `SIZE`.
    const NAME: &'static str;
    /// What is allowed, in words.
    const BOUNDS: &'static str;
    /// All values with what each means, if they are few.
    const CHOICES: &'static [(&'static str, &'static str)] = &[];

    /// Reads what a flag says.
    ///
    /// # Errors
    /// What is wrong with it and what is expected, in one line.
    fn read(text: &OsStr) -> Result<Self, String> {
        let text = text.to_str().ok_or("it is not text in UTF-8")?;
        text.parse().map_err(|error: Self::Err| error.to_string())
    }

    /// As the program works with it.
    fn plain(self) -> Self::Plain;

    /// A path that is not absolute begins at `directory`.
    fn below(self, directory: &Path) -> Self {
        let _ = directory;
        self
    }

    /// As `describe` shows it; nothing where no command describes what has such a setting.
    fn shown(plain: &Self::Plain) -> serde_json::Value {
        let _ = plain;
        serde_json::Value::Null
    }
}

/// Makes types values of settings: as what the program works with them, their name in help, and what is allowed.
macro_rules! values {
    ($($Type:ty => $Plain:ty, $name:literal, $bounds:literal, |$value:ident| $plain:expr $(, shown $shown:expr)?;)*) => {
        $(
            impl $crate::settings::Value for $Type {
                type Plain = $Plain;
                const NAME: &'static str = $name;
                const BOUNDS: &'static str = $bounds;

                fn plain(self) -> $Plain {
                    let $value = self;
                    $plain
                }

                $(fn shown(plain: &$Plain) -> serde_json::Value {
                    let shown: fn($Plain) -> serde_json::Value = $shown;
                    shown(*plain)
                })?
            }
        )*
    };
}
pub(crate) use values;

/// What one flag changes in the settings `S`.
pub struct Change<S>(Arc<dyn Fn(&mut S) + Send + Sync>);

impl<S> Change<S> {
    /// The change that `change` makes.
    pub fn new(change: impl Fn(&mut S) + Send + Sync + 'static) -> Self {
        Self(Arc::new(change))
    }

    /// Makes it.
    pub fn apply(&self, settings: &mut S) {
        (self.0)(settings);
    }
}

impl<S> Clone for Change<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// How a setting is given on the command line.
pub enum Flag<S> {
    /// By a flag that is made from the definition.
    Made {
        /// Its name, if that is not the setting's.
        name: Option<&'static str>,
        /// The heading that it stands below.
        section: &'static str,
        /// Whether it can be given several times.
        is_list: bool,
        /// Reads its value.
        read: fn(&OsStr) -> Result<Change<S>, String>,
    },
    /// By these flags, which are written by hand; by none if it is empty.
    ByHand(&'static [&'static str]),
}

/// The definition of one setting.
pub struct Setting<S: 'static> {
    /// Its name, as an identifier: `queue_time`. Files and flags have hyphens in it.
    pub name: &'static str,
    /// What it is, in one sentence.
    pub help: &'static str,
    /// What help calls its value.
    pub value: &'static str,
    /// What is allowed, in words.
    pub bounds: &'static str,
    /// All values with what each means, if they are few.
    pub choices: &'static [(&'static str, &'static str)],
    /// What it is if nobody sets it.
    pub default: Option<&'static str>,
    /// Its flags.
    pub flag: Flag<S>,
    /// What `describe` calls it, if that is not its name.
    pub shown_as: Option<&'static str>,
    /// As `describe` shows it.
    pub show: fn(&S) -> serde_json::Value,
}

impl<S> Setting<S> {
    /// Its key in `host.toml`: `queue-time`.
    pub fn key(&self) -> String {
        self.name.replace('_', "-")
    }

    /// What `describe` calls it: `maxRequestBody`.
    pub fn shown_name(&self) -> String {
        if let Some(name) = self.shown_as {
            return name.to_owned();
        }
        let mut words = self.name.split('_');
        let mut name = words.next().unwrap_or_default().to_owned();
        for word in words {
            let (first, rest) = word.split_at(1);
            name.push_str(&first.to_ascii_uppercase());
            name.push_str(rest);
        }
        name
    }

    /// Its flag without the hyphens before it, if that is made: `queue-time`.
    pub fn flag_name(&self) -> String {
        match self.flag {
            Flag::Made {
                name: Some(name), ..
            } => name.to_owned(),
            _ => self.key(),
        }
    }
}

/// Settings that are defined by a list.
pub trait Settings: Default + 'static {
    /// The definitions.
    const ALL: &'static [Setting<Self>];
}

/// The value that is in force if none is given.
///
/// # Panics
/// If the definition's default is none. A test reads all of them.
pub(crate) fn initial<V: Value>(default: &str) -> V::Plain {
    let read = V::read(OsStr::new(default));
    read.unwrap_or_else(|error| panic!("{default}: {error}"))
        .plain()
}

/// The value that a file gives, whose paths begin at `directory`.
pub(crate) fn plain<V: Value>(value: &V, directory: &Path) -> V::Plain {
    value.clone().below(directory).plain()
}

/// Makes the definitions of settings into the table of a file and the values in force.
///
/// ```text
/// settings! {
///     /// The table of a file.
///     #[derive(Deserialize, JsonSchema)]
///     file Table { /* fields that are no settings */ }
///
///     /// The values in force.
///     #[derive(Clone)]
///     in_force Values;
///
///     // Flags below this heading of the help.
///     "Capacity" {
///         /// With a default that is always the same
///         queue_time: Time = "5s";
///         /// An `Option`: what it is otherwise is found out when the host starts
///         workers: NonZeroUsize or "one per core";
///         /// A list, whose flag has another name and can be given several times
///         admin_hosts: [HostName] as "admin-host";
///     }
///
///     // Settings whose flags and conversion are written by hand: the field of the file, the field in force, what the value
///     // is, the flags.
///     by_hand {
///         /// Its environment variables
///         env_vars: Map => environment: Map, "a table of strings", ["set-env-vars"];
///     }
/// }
/// ```
macro_rules! settings {
    (
        $(#[$file_attribute:meta])*
        file $File:ident { $($file_only:tt)* }

        $(#[$attribute:meta])*
        in_force $Settings:ident;

        $($section:literal {
            $(
                $(#[doc = $help:literal])+
                $(#[serde($($serde:tt)*)])?
                $name:ident: $Type:tt $(= $default:literal)? $(or $otherwise:literal)? $(as $flag:literal)?;
            )*
        })*

        by_hand {
            $(
                $(#[doc = $hand_help:literal])+
                $(#[serde($($hand_serde:tt)*)])?
                $(#[schemars($($hand_schema:tt)*)])?
                $key:ident: $Key:ty => $field:ident: $Field:ty, $bounds:literal, [$($hand_flag:literal),*]
                $(, shown $shown:literal)? $(, or $hand_default:literal)?;
            )*
        }
    ) => {
        $(#[$file_attribute])*
        pub struct $File {
            $($file_only)*
            $($(
                #[doc = concat!($($help,)+ $(" [default: ", $default, "]")? $(" [default: ", $otherwise, "]")?)]
                pub $name: $crate::settings::settings!(@file $Type),
            )*)*
            $(
                #[doc = concat!($($hand_help,)+ $(" [default: ", $hand_default, "]")?)]
                $(#[serde($($hand_serde)*)])?
                $(#[schemars($($hand_schema)*)])?
                pub $key: $Key,
            )*
        }

        $(#[$attribute])*
        pub struct $Settings {
            $($(
                $(#[doc = $help])+
                $(#[serde($($serde)*)])?
                pub $name: $crate::settings::settings!(@in_force $Type $(= $default)?),
            )*)*
            $(
                $(#[doc = $hand_help])+
                pub $field: $Field,
            )*
        }

        impl Default for $Settings {
            fn default() -> Self {
                Self {
                    $($($name: $crate::settings::settings!(@initial $Type $(= $default)?),)*)*
                    $($field: Default::default(),)*
                }
            }
        }

        impl $File {
            /// Sets what the file gives, but for what is converted by hand. Paths begin at `directory`.
            pub(crate) fn apply(&self, directory: &std::path::Path, settings: &mut $Settings) {
                $($(
                    let value = self.$name.iter().map(|value| $crate::settings::plain(value, directory));
                    $crate::settings::settings!(@set settings.$name, value, $Type $(= $default)?);
                )*)*
            }
        }

        impl $crate::settings::Settings for $Settings {
            const ALL: &'static [$crate::settings::Setting<Self>] = &[
                $($($crate::settings::Setting {
                    name: stringify!($name),
                    help: concat!($($help),+).trim_ascii(),
                    value: <$crate::settings::settings!(@value $Type) as $crate::settings::Value>::NAME,
                    bounds: <$crate::settings::settings!(@value $Type) as $crate::settings::Value>::BOUNDS,
                    choices: <$crate::settings::settings!(@value $Type) as $crate::settings::Value>::CHOICES,
                    default: $crate::settings::settings!(@optional $($default)? $($otherwise)?),
                    flag: $crate::settings::Flag::Made {
                        name: $crate::settings::settings!(@optional $($flag)?),
                        section: $section,
                        is_list: $crate::settings::settings!(@is_list $Type),
                        read: |text| {
                            type Value = $crate::settings::settings!(@value $Type);
                            let value = <Value as $crate::settings::Value>::read(text)?;
                            let value = $crate::settings::Value::plain(value);
                            Ok($crate::settings::Change::new(move |settings: &mut $Settings| {
                                $crate::settings::settings!(@change settings.$name, value.clone(), $Type $(= $default)?);
                            }))
                        },
                    },
                    shown_as: None,
                    show: |settings| {
                        $crate::settings::settings!(@show settings.$name, $Type $(= $default)?)
                    },
                },)*)*
                $($crate::settings::Setting {
                    name: stringify!($key),
                    help: concat!($($hand_help),+).trim_ascii(),
                    value: "",
                    bounds: $bounds,
                    choices: &[],
                    default: $crate::settings::settings!(@optional $($hand_default)?),
                    flag: $crate::settings::Flag::ByHand(&[$($hand_flag),*]),
                    shown_as: $crate::settings::settings!(@optional $($shown)?),
                    show: |settings| serde_json::json!(settings.$field),
                },)*
            ];
        }
    };

    (@value [$Type:ident]) => { $Type };
    (@value $Type:ident) => { $Type };
    (@is_list [$Type:ident]) => { true };
    (@is_list $Type:ident) => { false };
    (@optional) => { None };
    (@optional $value:literal) => { Some($value) };

    (@file [$Type:ident]) => { Vec<$Type> };
    (@file $Type:ident) => { Option<$Type> };

    (@in_force [$Type:ident]) => { Vec<<$Type as $crate::settings::Value>::Plain> };
    (@in_force $Type:ident) => { Option<<$Type as $crate::settings::Value>::Plain> };
    (@in_force $Type:ident = $default:literal) => { <$Type as $crate::settings::Value>::Plain };

    (@initial [$Type:ident]) => { Vec::new() };
    (@initial $Type:ident) => { None };
    (@initial $Type:ident = $default:literal) => { $crate::settings::initial::<$Type>($default) };

    // From a file: no value, one, or those of a list.
    (@set $field:expr, $values:expr, [$Type:ident]) => { $field.extend($values) };
    (@set $field:expr, $values:expr, $Type:ident) => { $field = { $values }.next().or($field.take()) };
    (@set $field:expr, $values:expr, $Type:ident = $default:literal) => {
        if let Some(value) = { $values }.next() {
            $field = value;
        }
    };

    // From a flag. What the command line has of a list comes before what is there.
    (@change $field:expr, $value:expr, [$Type:ident]) => { $field.insert(0, $value) };
    (@change $field:expr, $value:expr, $Type:ident) => { $field = Some($value) };
    (@change $field:expr, $value:expr, $Type:ident = $default:literal) => { $field = $value };

    (@show $field:expr, [$Type:ident]) => {
        $field.iter().map(<$Type as $crate::settings::Value>::shown).collect()
    };
    (@show $field:expr, $Type:ident) => {
        $field.as_ref().map_or(serde_json::Value::Null, <$Type as $crate::settings::Value>::shown)
    };
    (@show $field:expr, $Type:ident = $default:literal) => {
        <$Type as $crate::settings::Value>::shown(&$field)
    };
}

pub(crate) use settings;
