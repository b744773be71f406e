//! What hyper alone can do: the same answer, without a sandbox. A large body is sent back.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use bytes::Bytes;
use http_body_util::{BodyExt, Collected, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket};

/// The argument that makes the benchmark this server.
pub(crate) const COMMAND: &str = "plain-hyper";

/// A body that is sent back, in bytes.
const LARGE: usize = 1000;

/// Serves with one thread and one accept queue per core.
pub(crate) fn serve(addr: Option<&String>) -> ExitCode {
    let Some(addr) = addr.and_then(|addr| addr.parse::<SocketAddr>().ok()) else {
        eprintln!("error: expected an address");
        return ExitCode::FAILURE;
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads: Vec<_> = (0..threads)
        .map(|_| std::thread::spawn(move || serve_on_this_thread(addr)))
        .collect();
    for thread in threads {
        if let Ok(Err(error)) = thread.join() {
            eprintln!("error: {error}");
        }
    }
    ExitCode::FAILURE
}

fn serve_on_this_thread(addr: SocketAddr) -> io::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let listener = listen(addr)?;
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                tokio::spawn(
                    http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service_fn(answer)),
                );
            }
        })
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(addr)?;
    socket.listen(1024)
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    // A body that breaks off is answered like an empty one; the load sends none such.
    let body = request.into_body().collect().await;
    let body = body.map(Collected::to_bytes).unwrap_or_default();
    let answer = match body.len() {
        0 => Bytes::from_static(b"JSON Error"),
        1..LARGE => Bytes::from_static(b"Hello benchmark!"),
        LARGE.. => body,
    };
    Ok(Response::new(Full::new(answer)))
}
