//! What a host tells the service manager that started it: sd_notify(3).

use std::os::unix::net::UnixDatagram;

use tests::{Directory, Host, PATIENCE, Signal};

/// The next message.
fn next(socket: &UnixDatagram) -> String {
    let mut message = [0; 1024];
    let length = socket.recv(&mut message).expect("a message comes in time");
    String::from_utf8_lossy(&message[..length])
        .trim()
        .to_owned()
}

#[test]
fn it_is_told_that_the_host_serves_lives_and_ends() {
    let directory = Directory::new();
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).expect("it can be bound");
    socket
        .set_read_timeout(Some(PATIENCE))
        .expect("it can be set");
    let host = Host::serve("hello")
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "100000")
        .start();
    let mut told = vec![next(&socket)];
    while told
        .iter()
        .filter(|message| *message == "WATCHDOG=1")
        .count()
        < 3
    {
        told.push(next(&socket));
    }
    assert!(told.contains(&"READY=1".to_owned()), "{told:?}");
    assert_eq!(host.post("/", "{}").status, 200);
    host.signal(Signal::Term);
    while next(&socket) != "STOPPING=1" {}
    assert_eq!(host.wait(PATIENCE).code(), Some(0));
}
