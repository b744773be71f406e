//! Listening sockets: one accept queue per worker.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

const BACKLOG: i32 = 1024;

/// Opens `count` sockets on `addr`, each with an accept queue of its own where the system has that; elsewhere the first
/// worker accepts for all. With port 0 they share the port that the first one gets.
///
/// # Errors
/// When the address cannot be listened on, also because another process does.
pub(in crate::serve) fn open(
    addr: SocketAddr,
    count: usize,
) -> io::Result<Vec<Option<TcpListener>>> {
    // A shared port would let a second host start beside the first and take half of its requests. So whether the
    // port is free is asked first, in the way that does not share.
    let probe = socket(addr, false)?;
    let addr = local_addr(&probe)?;
    if !cfg!(unix) {
        let rest = (1..count).map(|_| None);
        return Ok(std::iter::once(Some(probe.into())).chain(rest).collect());
    }
    drop(probe);
    (0..count)
        .map(|_| socket(addr, true).map(|socket| Some(socket.into())))
        .collect()
}

fn socket(addr: SocketAddr, shared: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    #[cfg(unix)]
    {
        // A port whose last owner has gone is free, whatever connections linger.
        socket.set_reuse_address(true)?;
        socket.set_reuse_port(shared)?;
    }
    #[cfg(not(unix))]
    let _ = shared;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

fn local_addr(socket: &Socket) -> io::Result<SocketAddr> {
    socket
        .local_addr()?
        .as_socket()
        .ok_or_else(|| io::Error::other("the listening socket has no IP address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workers_share_the_port_that_the_system_chose() {
        let sockets = open("127.0.0.1:0".parse().unwrap(), 3).unwrap();
        let ports: Vec<_> = sockets
            .iter()
            .flatten()
            .map(|socket| socket.local_addr().unwrap().port())
            .collect();
        assert_ne!(ports[0], 0);
        assert!(ports.iter().all(|port| *port == ports[0]));
    }

    #[test]
    fn a_port_that_another_host_serves_is_refused() {
        let first = open("127.0.0.1:0".parse().unwrap(), 2).unwrap();
        let addr = first[0].as_ref().unwrap().local_addr().unwrap();
        assert_eq!(open(addr, 2).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }
}
