//! Setters of configuration structs.

/// Adds a method for each field that sets it and answers the whole, so that calls can be chained.
macro_rules! setters {
    ($owner:ty { $($field:ident: $value:ty,)* }) => {
        impl $owner {
            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
                #[must_use]
                pub fn $field(mut self, $field: $value) -> Self {
                    self.$field = $field;
                    self
                }
            )*
        }
    };
}

pub(crate) use setters;
