//! Tries the network without asking the host for HTTP: to `?to=` (127.0.0.1:80). It answers what
//! came of it, a line each.
#![cfg(target_family = "wasm")]

use std::fmt::Write as _;
use std::net::SocketAddrV4;

use guests_p3::wasip3::sockets::ip_name_lookup::resolve_addresses;
use guests_p3::wasip3::sockets::types::{
    ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress, TcpSocket, UdpSocket,
};
use guests_p3::{Answer, Query, Request, answer};

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let query = Query::of(&request);
    let to = address(query.get("to").unwrap_or("127.0.0.1:80"));
    let mut report = String::new();
    let _ = writeln!(report, "connect: {:?}", connect(to).await);
    let _ = writeln!(report, "listen: {:?}", listen().await);
    let _ = writeln!(report, "datagram: {:?}", datagram(to).await);
    let lookup = resolve_addresses("localhost".to_owned()).await;
    let _ = writeln!(report, "lookup: {lookup:?}");
    answer(200, &[], report)
}

fn address(text: &str) -> IpSocketAddress {
    let address: SocketAddrV4 = text.parse().expect("to must be an address of IPv4");
    IpSocketAddress::Ipv4(Ipv4SocketAddress {
        port: address.port(),
        address: address.ip().octets().into(),
    })
}

async fn connect(to: IpSocketAddress) -> Result<(), ErrorCode> {
    TcpSocket::create(IpAddressFamily::Ipv4)?.connect(to).await
}

async fn listen() -> Result<(), ErrorCode> {
    let socket = TcpSocket::create(IpAddressFamily::Ipv4)?;
    socket.bind(address("127.0.0.1:0"))?;
    socket.listen().map(drop)
}

async fn datagram(to: IpSocketAddress) -> Result<(), ErrorCode> {
    let socket = UdpSocket::create(IpAddressFamily::Ipv4)?;
    socket.bind(address("127.0.0.1:0"))?;
    socket.send(b"?".to_vec(), Some(to)).await
}
