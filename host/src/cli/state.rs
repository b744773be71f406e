//! Where the host keeps what it must not lose.

use std::path::PathBuf;

use clap::Args;

/// The state directory.
#[derive(Args)]
pub(super) struct State {
    /// Directory for what is kept between runs [default: the platform's state directory]
    #[arg(long, env = "HOST_STATE_DIR", value_name = "DIR")]
    state_dir: Option<PathBuf>,
}

impl State {
    /// Where compiled components are kept; nowhere if no directory is known.
    pub(super) fn compile_cache(&self) -> Option<PathBuf> {
        let state = self.state_dir.clone().or_else(platform_directory)?;
        Some(state.join("compiled"))
    }
}

/// The XDG Base Directory Specification's state directory.
fn platform_directory() -> Option<PathBuf> {
    let from = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    from("XDG_STATE_HOME")
        .or_else(|| Some(from("HOME")?.join(".local/state")))
        .map(|base| base.join("host"))
}
