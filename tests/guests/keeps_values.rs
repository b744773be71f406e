//! Does with a bucket of `wasi:keyvalue` (draft) what `?do=` says, and answers what came of it.
//!
//! `?bucket=` names the bucket, `?key=` or `?keys=` (with commas) what it is about, `?value=` or `?size=` (bytes) what is
//! set. An error has the status 500 and is in the body.
#![cfg(target_family = "wasm")]

use std::cell::RefCell;

use guests::{IncomingRequest, Query, ResponseOutparam, answer};

mod bindings {
    #![allow(missing_docs, unreachable_pub)]
    wit_bindgen::generate!({ path: "wit", world: "keyvalue", generate_all });
}

use bindings::wasi::keyvalue0_2_0_draft::store::{Bucket, Error, open};
use bindings::wasi::keyvalue0_2_0_draft::{atomics, batch};

thread_local! {
    static KEPT: RefCell<Option<Bucket>> = const { RefCell::new(None) };
}

guests::handler!(handle);

fn handle(request: IncomingRequest, out: ResponseOutparam) {
    match done(&Query::of(&request)) {
        Ok(text) => answer(out, 200, &[], text),
        Err(Error::Other(words)) => answer(out, 500, &[], words),
        Err(Error::NoSuchStore) => answer(out, 500, &[], "no such store"),
        Err(Error::AccessDenied) => answer(out, 500, &[], "access denied"),
    }
}

fn done(query: &Query) -> Result<String, Error> {
    let text = |name| query.get(name).unwrap_or_default();
    let bucket = open(text("bucket"))?;
    let key = text("key");
    Ok(match text("do") {
        "open" => "open".to_owned(),
        // For the next request to the instance.
        "keep" => match KEPT.replace(Some(bucket)) {
            Some(kept) => format!("kept {}", atomics::increment(&kept, key, 1)?),
            None => "opened".to_owned(),
        },
        "get" => shown(bucket.get(key)?),
        "set" => bucket.set(key, &value(query)).map(|()| "set".to_owned())?,
        "delete" => bucket.delete(key).map(|()| "deleted".to_owned())?,
        "exists" => bucket.exists(key)?.to_string(),
        "add" => atomics::increment(&bucket, key, query.number("by").unwrap_or(1))?.to_string(),
        "list" => pages(&bucket)?,
        "get-many" => {
            let found = batch::get_many(&bucket, &keys(query))?;
            let shown = found.into_iter().map(|entry| match entry {
                Some((key, value)) => format!("{key}={}", shown(Some(value))),
                None => "none".to_owned(),
            });
            shown.collect::<Vec<_>>().join("\n")
        }
        "set-many" => {
            let entries: Vec<_> = keys(query)
                .into_iter()
                .map(|key| (key, value(query)))
                .collect();
            batch::set_many(&bucket, &entries).map(|()| "set".to_owned())?
        }
        "delete-many" => {
            batch::delete_many(&bucket, &keys(query)).map(|()| "deleted".to_owned())?
        }
        other => panic!("no such thing to do: {other:?}"),
    })
}

fn keys(query: &Query) -> Vec<String> {
    let keys = query.get("keys").unwrap_or_default();
    keys.split(',').map(str::to_owned).collect()
}

fn value(query: &Query) -> Vec<u8> {
    match query.number("size") {
        Some(size) => vec![b'x'; size as usize],
        None => query.get("value").unwrap_or_default().into(),
    }
}

fn shown(value: Option<Vec<u8>>) -> String {
    value.map_or("none".to_owned(), |value| {
        String::from_utf8_lossy(&value).into_owned()
    })
}

/// The keys, a line for each page.
fn pages(bucket: &Bucket) -> Result<String, Error> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let page = bucket.list_keys(cursor)?;
        pages.push(page.keys.join(" "));
        cursor = page.cursor;
        if cursor.is_none() {
            return Ok(pages.join("\n"));
        }
    }
}
