use wasip3::cli::types::ErrorCode;
use wasip3::wit_bindgen::rt::async_support::{FutureReader, StreamReader};
use wasip3::wit_stream;

/// Prints through the streams of WASI 0.3, with `stdout::write_via_stream` or the one of stderr, and waits until the host has
/// it all. (`println!` goes by WASI 0.2 on this target.)
///
/// # Panics
/// If the host does not take it.
pub async fn print(
    output: fn(StreamReader<u8>) -> FutureReader<Result<(), ErrorCode>>,
    bytes: impl Into<Vec<u8>>,
) {
    let (mut writer, reader) = wit_stream::new();
    let printed = output(reader);
    writer.write_all(bytes.into()).await;
    drop(writer);
    printed.await.expect("the output is open");
}
