//! Compares and swaps in the own bucket of `wasi:keyvalue` (draft2), as `?do=` says, and answers what came of it.
#![cfg(target_family = "wasm")]

use guests::{IncomingRequest, Query, ResponseOutparam, answer};

mod bindings {
    #![allow(missing_docs, unreachable_pub)]
    wit_bindgen::generate!({ path: "wit", world: "keyvalue-draft2", generate_all });
}

use bindings::wasi::keyvalue0_2_0_draft2::atomics::{Cas, CasError, increment, swap};
use bindings::wasi::keyvalue0_2_0_draft2::batch;
use bindings::wasi::keyvalue0_2_0_draft2::store::{Bucket, Error, open};

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    match done(&Query::of(&request)) {
        Ok(text) => answer(out, 200, &[], text),
        Err(error) => answer(out, 500, &[], format!("{error:?}")),
    }
}

fn done(query: &Query) -> Result<String, Error> {
    let bucket = open("default")?;
    let key = query.get("key").unwrap_or_default();
    Ok(match query.get("do").unwrap_or_default() {
        "get" => shown(bucket.get(key)?),
        "set" => {
            bucket.set(key, query.get("value").unwrap_or_default().as_bytes())?;
            "set".to_owned()
        }
        "subtract" => increment(&bucket, key, -1)?.to_string(),
        // One more than there is, however many others do the same.
        "count" => counted(&bucket, key)?,
        // A swap that somebody else is faster than, and the next one.
        "late" => late(&bucket, key)?,
        "list" => list(&bucket)?,
        "get-many" => {
            let found = batch::get_many(&bucket, &["a".to_owned(), "b".to_owned()])?;
            let shown = found
                .into_iter()
                .map(|(key, value)| format!("{key}={}", shown(value)));
            shown.collect::<Vec<_>>().join(" ")
        }
        "bad-cursor" => bucket
            .list_keys(Some("elsewhere"))
            .map(|_| "listed".to_owned())?,
        other => panic!("no such thing to do: {other:?}"),
    })
}

fn shown(value: Option<Vec<u8>>) -> String {
    value.map_or("none".to_owned(), |value| {
        String::from_utf8_lossy(&value).into_owned()
    })
}

fn counted(bucket: &Bucket, key: &str) -> Result<String, Error> {
    let mut cas = Cas::new(bucket, key)?;
    loop {
        let before = cas.current()?;
        let before = before.map_or(0, |value| {
            String::from_utf8_lossy(&value)
                .parse::<u64>()
                .expect("a number")
        });
        let next = (before + 1).to_string();
        match swap(cas, next.as_bytes()) {
            Ok(()) => return Ok(next),
            Err(CasError::CasFailed(again)) => cas = again,
            Err(CasError::StoreError(error)) => return Err(error),
        }
    }
}

fn late(bucket: &Bucket, key: &str) -> Result<String, Error> {
    let cas = Cas::new(bucket, key)?;
    bucket.set(key, b"faster")?;
    let again = match swap(cas, b"late") {
        Err(CasError::CasFailed(again)) => again,
        Err(CasError::StoreError(error)) => return Err(error),
        Ok(()) => return Ok("swapped".to_owned()),
    };
    let between = shown(bucket.get(key)?);
    match swap(again, b"second") {
        Ok(()) => Ok(format!("{between} {}", shown(bucket.get(key)?))),
        Err(_) => Ok("failed twice".to_owned()),
    }
}

fn list(bucket: &Bucket) -> Result<String, Error> {
    let (mut count, mut pages, mut cursor) = (0, 0, None::<String>);
    loop {
        let page = bucket.list_keys(cursor.as_deref())?;
        count += page.keys.len();
        pages += 1;
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(format!("{count} in {pages}"));
        }
    }
}
