//! The socket in the state directory, by which commands of its owner reach the process that serves.

use std::fs;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::{UnixListener, UnixStream};

use super::methods::Source;
use super::open::{Open, Standing};
use super::{Answering, PAUSE, STALL_TIMEOUT, Subject, answer};
use crate::timed::Timed;

/// Its name.
const SOCKET: &str = "control.sock";
/// The longest path of a socket, in bytes, less what ends it (`sun_path` of unix(7)).
const LONGEST: usize = 107;

/// A socket that listens and does not answer yet.
pub(crate) struct Socket(net::UnixListener);

/// Listens on the socket in `directory`. One that a process left there which has ended is taken away: call this only with
/// the lock that no other process serves from the directory.
///
/// # Errors
/// If it cannot be made.
pub(crate) fn bind(directory: &Path) -> io::Result<Socket> {
    let place = Place::of(directory)?;
    match fs::remove_file(&place.path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = net::UnixListener::bind(&place.path)?;
    fs::set_permissions(&place.path, fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(Socket(listener))
}

/// Whether a process that serves from `directory` can be reached.
pub(crate) fn is_served(directory: &Path) -> bool {
    let place = Place::of(directory);
    place.is_ok_and(|place| net::UnixStream::connect(&place.path).is_ok())
}

/// Connects to the process that serves from `directory`.
///
/// # Errors
/// If none does.
pub(crate) async fn connect(directory: &Path) -> io::Result<UnixStream> {
    let place = Place::of(directory)?;
    UnixStream::connect(&place.path).await
}

/// Answers its owner until dropped.
///
/// # Errors
/// When the system does not let it wait for connections.
pub(crate) fn serve(
    socket: Socket,
    answering: Arc<Answering<impl Subject>>,
) -> io::Result<impl Future<Output = ()>> {
    let listener = UnixListener::from_std(socket.0)?;
    Ok(accept(listener, answering))
}

async fn accept(listener: UnixListener, answering: Arc<Answering<impl Subject>>) {
    let mut open = Open::default();
    loop {
        match listener.accept().await {
            Ok((stream, _)) if is_owner(&stream) => {
                let answering = Arc::clone(&answering);
                let standing = Standing::default();
                let ours = standing.clone();
                let connection = async move {
                    let stream = Timed::new(stream, STALL_TIMEOUT);
                    answer(stream, &answering, Source::Socket, &ours).await;
                };
                open.add(tokio::spawn(connection).abort_handle(), standing);
            }
            Ok(_) => {}
            Err(_) if open.cut_oldest() => tokio::task::yield_now().await,
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// Whether the process at the other end is of the user whose directory this is, or of root, who could read it anyway.
fn is_owner(stream: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream
        .peer_cred()
        .is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}

/// Where the socket is, by a path that is short enough.
struct Place {
    path: PathBuf,
    /// What the path leads through.
    _directory: Option<OwnedFd>,
}

impl Place {
    fn of(directory: &Path) -> io::Result<Self> {
        let path = directory.join(SOCKET);
        if path.as_os_str().len() <= LONGEST {
            return Ok(Self {
                path,
                _directory: None,
            });
        }
        let open = OwnedFd::from(fs::File::open(directory)?);
        let path = PathBuf::from(format!("/proc/self/fd/{}", open.as_raw_fd()));
        Ok(Self {
            path: path.join(SOCKET),
            _directory: Some(open),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_was_left_behind_is_taken_away_however_long_its_path_is() {
        let directory = tempfile::tempdir().unwrap();
        let deep = directory.path().join("a".repeat(90)).join("b".repeat(90));
        fs::create_dir_all(&deep).unwrap();
        for directory in [directory.path(), &deep] {
            for _ in 0..2 {
                drop(bind(directory).unwrap());
            }
            assert!(directory.join(SOCKET).exists());
        }
    }
}
