//! The generations of WASI that components are built for.

/// Which generation of WASI a component needs of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Generation {
    /// WASI 0.2: a call of an instance begins when the one before it has ended.
    Wasi02,
    /// WASI 0.3: calls are asynchronous, and bodies are streams of the component model.
    Wasi03,
}

impl Generation {
    /// A release of it, for all that are compatible with that.
    pub(crate) const fn release(self) -> &'static str {
        match self {
            Self::Wasi02 => "0.2.0",
            Self::Wasi03 => "0.3.0",
        }
    }
}
