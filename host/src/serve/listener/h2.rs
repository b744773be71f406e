//! What HTTP/2 needs beside hyper: clients that take nothing are noticed, stream by stream.

pub(in crate::serve) mod stall;
pub(in crate::serve) mod stream_task;
pub(in crate::serve) mod streams;
pub(in crate::serve) mod watched_body;
