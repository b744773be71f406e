//! Sockets that a service manager has opened and hands over: systemd's protocol, `sd_listen_fds(3)`.
//!
//! The first one is the data plane's, the second one, if there is one, the control plane's. They stay open when this
//! process ends, so that connections wait for the next one.

use std::io;
use std::net::{SocketAddr, TcpListener};

use listenfd::ListenFd;

use crate::serve::error::ServeError;

/// The sockets, as far as there are any.
#[derive(Debug, Default)]
pub(in crate::serve) struct Inherited {
    data_plane: Option<TcpListener>,
    control_plane: Option<TcpListener>,
}

impl Inherited {
    /// Takes what was handed over to this process. Nobody else may do so.
    ///
    /// # Errors
    /// If it is anything but one or two TCP sockets that listen.
    pub(in crate::serve) fn take() -> Result<Self, ServeError> {
        let mut handed_over = ListenFd::from_env();
        if handed_over.len() > 2 {
            let count = handed_over.len();
            return Err(ServeError::Inherited(format!(
                "there are {count} of them; expected one for functions and one for the control plane"
            )));
        }
        let mut listener = |index: usize| -> io::Result<Option<TcpListener>> {
            let listener = handed_over.take_tcp_listener(index)?;
            if let Some(listener) = &listener {
                listener.set_nonblocking(true)?;
            }
            Ok(listener)
        };
        let mut take = |index| {
            listener(index).map_err(|error| ServeError::Inherited(format!("{error}; expected TCP")))
        };
        Ok(Self {
            data_plane: take(0)?,
            control_plane: take(1)?,
        })
    }

    /// Where the data plane's socket listens, if there is one.
    pub(in crate::serve) fn addr(&self) -> io::Result<Option<SocketAddr>> {
        let listener = self.data_plane.as_ref();
        listener.map(TcpListener::local_addr).transpose()
    }

    /// The data plane's socket for the first of `count` workers, which accepts for the others too.
    pub(in crate::serve) fn data_plane(
        &mut self,
        count: usize,
    ) -> Option<Vec<Option<TcpListener>>> {
        let first = self.data_plane.take()?;
        let others = (1..count).map(|_| None);
        Some(std::iter::once(Some(first)).chain(others).collect())
    }

    pub(in crate::serve) fn control_plane(&mut self) -> Option<TcpListener> {
        self.control_plane.take()
    }
}
