use super::super::account::Account;
use super::super::budget::{Budget, MemoryBudget};
use super::super::shared::Shared;
use super::flow::{BEFORE_READING, BLOCK, WHILE_READING};
use super::*;
use http_body_util::BodyExt;

fn shared(memory: u64) -> Arc<Shared> {
    let budget = Budget::new(Arc::new(MemoryBudget::new(u64::MAX)), None);
    Arc::new(Shared::new(0, Account::new(memory, budget), false))
}

fn response(declared: Option<u64>) -> (PipeWriter, PipeReader) {
    pipe(StreamContext::Response, declared, shared(u64::MAX))
}

/// Writes pieces of this size for as long as that may be done. Answers how much that was.
fn fill(stream: &mut dyn OutputStream, piece: usize) -> usize {
    let mut written = 0;
    while stream.check_write().unwrap() > 0 {
        stream.write(vec![b'x'; piece].into()).unwrap();
        written += piece;
    }
    written
}

#[tokio::test]
async fn more_may_stand_before_anybody_reads_than_after() {
    for piece in [1, 1000, 4096, BLOCK, MOST_WRITTEN] {
        let (mut writer, mut reader) = response(None);
        let mut stream = writer.stream().unwrap();
        let before = fill(&mut *stream, piece);
        assert!((BEFORE_READING + 1..=BEFORE_READING + piece).contains(&before));
        let mut read = 0;
        let mut pieces = 0;
        while read < before {
            read += reader
                .frame()
                .await
                .unwrap()
                .unwrap()
                .into_data()
                .unwrap()
                .len();
            pieces += 1;
        }
        assert!(
            pieces <= before / BLOCK + 2,
            "small ones are gathered: {pieces} of {piece}"
        );
        let after = fill(&mut *stream, piece);
        assert!((WHILE_READING + 1..=WHILE_READING + piece).contains(&after));
    }
}

#[tokio::test]
async fn what_is_written_is_read_in_order_whatever_its_pieces() {
    let (mut writer, reader) = response(None);
    let mut stream = writer.stream().unwrap();
    let pieces = [1, 20_000, 5, 5, 16_000, 400, BLOCK, 1, MOST_WRITTEN, 7];
    let pieces = pieces.map(|length| vec![length as u8; length]);
    for piece in &pieces {
        stream.write(piece.clone().into()).unwrap();
    }
    drop(stream);
    writer.finish(None).unwrap();
    assert!(reader.is_whole());
    assert_eq!(reader.collect().await.unwrap().to_bytes(), pieces.concat());
}

#[tokio::test]
async fn a_body_whose_guest_was_ended_ends_with_an_error() {
    let (mut writer, mut reader) = response(None);
    writer.stream().unwrap().write("half".into()).unwrap();
    drop(writer);
    assert!(!reader.is_finished());
    assert!(reader.frame().await.unwrap().is_ok());
    assert!(reader.frame().await.unwrap().is_err());
}

#[tokio::test]
async fn trailers_come_once_and_none_are_none() {
    let mut trailers = HeaderMap::new();
    for expected in [false, true] {
        let (writer, reader) = response(None);
        writer.finish(Some(trailers.clone())).unwrap();
        let has_trailers = reader.collect().await.unwrap().trailers().is_some();
        assert_eq!(has_trailers, expected);
        trailers.insert("checksum", http::HeaderValue::from_static("42"));
    }
}

#[test]
fn the_length_of_a_request_counts_and_that_of_a_response_once_a_body_goes_out() {
    let shared = shared(u64::MAX);
    let finish = |kind| pipe(kind, Some(5), Arc::clone(&shared) as _).0.finish(None);
    assert!(finish(StreamContext::Request).is_err());
    assert!(finish(StreamContext::Response).is_ok());
    shared.put_head(Ok(http::Response::new(None)));
    assert!(finish(StreamContext::Response).is_err());
}

#[test]
fn what_stands_unread_is_charged_until_it_is_let_go() {
    let shared = shared(200 * 1024);
    let (mut writer, reader) = pipe(StreamContext::Response, None, Arc::clone(&shared) as _);
    let mut stream = writer.stream().unwrap();
    let mut write = || stream.write(vec![0; MOST_WRITTEN].into());
    for _ in 0..5 {
        write().unwrap();
    }
    assert!(matches!(write(), Err(StreamError::Trap(error)) if error.is::<HeldTooMuch>()));
    assert_eq!(shared.account().most(), 3 * MOST_WRITTEN as u64);
    drop(reader);
    assert!(shared.account().has_room(200 * 1024));
    assert!(matches!(stream.check_write(), Err(StreamError::Closed)));
}

#[test]
fn what_is_written_to_nobody_is_dropped_and_bounded() {
    let (mut writer, mut reader) = response(None);
    let mut stream = writer.stream().unwrap();
    stream.write("12345".into()).unwrap();
    assert!(reader.discard(Some(100_000)));
    stream.write(vec![0; MOST_WRITTEN].into()).unwrap();
    let beyond = stream.write(vec![0; MOST_WRITTEN].into());
    assert!(matches!(beyond, Err(StreamError::Trap(error)) if error.is::<TooLarge>()));
    assert!(!reader.discard(Some(10)));
}
