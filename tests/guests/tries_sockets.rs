//! Tries the network without asking the host for HTTP: to `?to=` (127.0.0.1:80). It answers what
//! came of it, a line each.
#![cfg(target_family = "wasm")]

use std::fmt::Write as _;
use std::net::{TcpListener, TcpStream, ToSocketAddrs as _, UdpSocket};

use guests::{IncomingRequest, Query, ResponseOutparam, answer};

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    let query = Query::of(&request);
    let to = query.get("to").unwrap_or("127.0.0.1:80");
    let mut report = String::new();
    let _ = writeln!(report, "connect: {:?}", TcpStream::connect(to).map(drop));
    let _ = writeln!(
        report,
        "listen: {:?}",
        TcpListener::bind("127.0.0.1:0").map(drop)
    );
    let datagram = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(b"?", to));
    let _ = writeln!(report, "datagram: {datagram:?}");
    let lookup = "localhost:80".to_socket_addrs().map(Iterator::count);
    let _ = writeln!(report, "lookup: {lookup:?}");
    answer(out, 200, &[], report);
}
