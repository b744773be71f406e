//! Adds response fields of `?size=` bytes (1,024) each: until the host refuses one, or `?count=` of
//! them. Then it answers with them all.
//!
//! With `?objects=` it makes so many sets of fields instead, from nothing or with `?how=clone` from
//! the first one, and keeps them all unless `?keep=0`. Then it lets them go, takes `?then_mib=`
//! mebibytes of memory for itself, and answers how many it made.
#![cfg(target_family = "wasm")]

use guests_p3::wasip3::http::types::HeaderError;
use guests_p3::{Answer, Fields, Query, Request, Response, answer, no_trailers};

guests_p3::handler!(handle);

async fn handle(request: Request) -> Answer {
    let query = Query::of(&request);
    if let Some(objects) = query.number("objects") {
        make(&query, objects);
        let mebibytes = query.number("then_mib").unwrap_or(0) as usize;
        std::hint::black_box(vec![1_u8; mebibytes << 20]);
        return answer(200, &[], format!("made {objects}\n"));
    }
    let fields = Fields::new();
    match fill(&fields, &query) {
        Ok(()) => Ok(Response::new(fields, None, no_trailers()).0),
        Err((number, error)) => answer(200, &[], format!("refused field {number}: {error:?}\n")),
    }
}

fn fill(fields: &Fields, query: &Query) -> Result<(), (u64, HeaderError)> {
    let value = vec![b'x'; query.number("size").unwrap_or(1024) as usize];
    for number in 1..=query.number("count").unwrap_or(u64::MAX) {
        let field = fields.append(&format!("x-field-{number}"), &value);
        field.map_err(|error| (number, error))?;
    }
    Ok(())
}

fn make(query: &Query, objects: u64) {
    let first = Fields::new();
    fill(&first, query).expect("the host takes them");
    let mut kept = Vec::new();
    for number in 1..objects {
        let fields = match query.get("how") {
            Some("clone") => first.clone(),
            _ => Fields::new(),
        };
        if query.get("how").is_none() {
            fill(&fields, query).expect("the host takes them");
        }
        // What was shared is so no longer.
        let changed = fields.append("x-number", number.to_string().as_bytes());
        changed.expect("the host takes one more");
        if query.number("keep") != Some(0) {
            kept.push(fields);
        }
    }
}
