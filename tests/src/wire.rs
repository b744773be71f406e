//! HTTP/1.1 by hand: what is sent is sent as it stands, and what comes back is read strictly.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::{PATIENCE, Reply};

/// A connection's two directions.
trait Transport: Read + Write + Send {}
impl<T: Read + Write + Send> Transport for T {}

/// A connection on which a client can do what no client should.
pub struct Wire {
    transport: Box<dyn Transport>,
    socket: TcpStream,
    unread: Vec<u8>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Wire")
            .field("socket", &self.socket)
            .finish_non_exhaustive()
    }
}

impl Wire {
    /// Connects to `addr`.
    #[track_caller]
    pub fn connect(addr: SocketAddr) -> Self {
        match Self::try_connect(addr) {
            Ok(wire) => wire,
            Err(error) => panic!("cannot connect to {addr}: {error}"),
        }
    }

    /// Connects to `addr` if somebody listens there.
    ///
    /// # Errors
    /// What the system says.
    pub fn try_connect(addr: SocketAddr) -> io::Result<Self> {
        let socket = TcpStream::connect_timeout(&addr, PATIENCE)?;
        let transport = socket.try_clone()?;
        Self::over(transport, socket)
    }

    /// Speaks over `transport`, which lies on `socket`.
    pub(crate) fn over(
        transport: impl Read + Write + Send + 'static,
        socket: TcpStream,
    ) -> io::Result<Self> {
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self {
            transport: Box::new(transport),
            socket,
            unread: Vec::new(),
        })
    }

    /// Sends `bytes` as they stand.
    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        if let Err(error) = self.try_send(bytes) {
            panic!("cannot send: {error}");
        }
    }

    /// Sends `bytes` unless the host has closed the connection.
    ///
    /// # Errors
    /// What the system says.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.transport.write_all(bytes.as_ref())?;
        self.transport.flush()
    }

    /// Sends one chunk of a chunked body.
    #[track_caller]
    pub fn send_chunk(&mut self, data: impl AsRef<[u8]>) {
        let data = data.as_ref();
        let framed = [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat();
        self.send(framed);
    }

    /// Reads one response whole. Interim responses (1xx) are passed over.
    #[track_caller]
    pub fn read_reply(&mut self) -> Reply {
        let mut reply = self.read_final_head();
        if let Err(error) = self.read_body(&mut reply) {
            panic!("the body was cut: {error}: {reply:?}");
        }
        reply
    }

    /// Reads one response whose body breaks off, as the client can tell.
    #[track_caller]
    pub fn read_cut_reply(&mut self) -> Reply {
        let mut reply = self.read_final_head();
        match self.read_body(&mut reply) {
            Ok(()) => panic!("the body is whole: {reply:?}"),
            Err(error) if is_timeout(&error) => panic!("the body neither ends nor breaks off"),
            Err(_) => reply,
        }
    }

    /// Reads the head of the next response, interim ones included.
    #[track_caller]
    pub fn read_head(&mut self) -> Reply {
        match self.try_read_head() {
            Ok(head) => head,
            Err(error) => panic!(
                "no response head: {error}; came {:?}",
                String::from_utf8_lossy(&self.unread)
            ),
        }
    }

    /// Reads one chunk of a chunked body; `None` is the last.
    #[track_caller]
    pub fn read_chunk(&mut self) -> Option<Vec<u8>> {
        match self.try_read_chunk() {
            Ok(chunk) => chunk,
            Err(error) => panic!("no chunk: {error}"),
        }
    }

    /// Reads until `enough` says so of all that came since the last response, and returns that.
    #[track_caller]
    pub fn read_until(&mut self, enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
        while !enough(&self.unread) {
            if let Err(error) = self.fill() {
                panic!("not enough came: {error}: {:?}", self.unread);
            }
        }
        std::mem::take(&mut self.unread)
    }

    /// Reads all there is until the host closes the connection, in good order or not.
    #[track_caller]
    pub fn read_to_end(&mut self) -> Vec<u8> {
        loop {
            match self.fill() {
                Ok(()) => {}
                Err(error) if is_timeout(&error) => panic!("the connection stays open"),
                Err(_) => return std::mem::take(&mut self.unread),
            }
        }
    }

    /// Whether the host closes the connection, now or within a while, without another word.
    pub fn is_closed(&mut self) -> bool {
        self.unread.is_empty() && matches!(self.fill(), Err(error) if !is_timeout(&error))
    }

    /// Whether nothing comes, and the connection stays open, for `time`.
    pub fn is_silent_for(&mut self, time: Duration) -> bool {
        let bounded = self.socket.set_read_timeout(Some(time));
        let silent = self.unread.is_empty()
            && bounded.is_ok()
            && matches!(self.fill(), Err(error) if is_timeout(&error));
        silent && self.socket.set_read_timeout(Some(PATIENCE)).is_ok()
    }

    #[track_caller]
    fn read_final_head(&mut self) -> Reply {
        loop {
            let head = self.read_head();
            if head.status >= 200 {
                return head;
            }
        }
    }

    fn try_read_head(&mut self) -> io::Result<Reply> {
        let status = self.line()?;
        let status = status
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.get(2..5)?.parse().ok())
            .ok_or_else(|| malformed("status line", &status))?;
        Ok(Reply {
            status,
            headers: self.fields()?,
            ..Reply::default()
        })
    }

    fn read_body(&mut self, reply: &mut Reply) -> io::Result<()> {
        if reply.status == 204 || reply.status == 304 {
            return Ok(());
        }
        if reply.header("transfer-encoding").is_some() {
            while let Some(chunk) = self.try_read_chunk()? {
                reply.body.extend(chunk);
            }
            reply.trailers = self.fields()?;
            return Ok(());
        }
        let Some(length) = reply.header("content-length") else {
            reply.body = self.rest()?;
            return Ok(());
        };
        let length = length
            .parse()
            .map_err(|_| malformed("content-length", length))?;
        let taken = self.take(length);
        if taken.is_err() {
            reply.body = std::mem::take(&mut self.unread);
        }
        reply.body.extend(taken?);
        Ok(())
    }

    /// The trailer section is left for the caller.
    fn try_read_chunk(&mut self) -> io::Result<Option<Vec<u8>>> {
        let size = self.line()?;
        let size = usize::from_str_radix(&size, 16).map_err(|_| malformed("chunk size", &size))?;
        if size == 0 {
            return Ok(None);
        }
        let mut chunk = self.take(size + 2)?;
        chunk.truncate(size);
        Ok(Some(chunk))
    }

    fn fields(&mut self) -> io::Result<Vec<(String, String)>> {
        let mut fields = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                return Ok(fields);
            }
            let (name, value) = line
                .split_once(':')
                .ok_or_else(|| malformed("field", &line))?;
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    fn line(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = self.unread.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.unread.drain(..end + 2).take(end).collect();
                return Ok(String::from_utf8_lossy(&line).into_owned());
            }
            self.fill()?;
        }
    }

    fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        while self.unread.len() < count {
            self.fill()?;
        }
        let rest = self.unread.split_off(count);
        Ok(std::mem::replace(&mut self.unread, rest))
    }

    fn rest(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match self.fill() {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    return Ok(std::mem::take(&mut self.unread));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads some more. The end of the stream is an error, for whoever wants more.
    fn fill(&mut self) -> io::Result<()> {
        let mut some = [0; 16 * 1024];
        match self.transport.read(&mut some)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            count => {
                self.unread.extend_from_slice(&some[..count]);
                Ok(())
            }
        }
    }
}

fn malformed(what: &str, text: &str) -> io::Error {
    io::Error::new(
        ErrorKind::InvalidData,
        format!("malformed {what}: {text:?}"),
    )
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
