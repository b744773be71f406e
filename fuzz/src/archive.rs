//! The reader of uploads: no input makes it panic or go beyond its bounds, and what it makes of a folder is within it.

#![no_main]

use std::collections::HashSet;

use bytes::Bytes;
use host::archive::{self, Bounds, Upload};
use libfuzzer_sys::fuzz_target;

/// As for small machines, so that each of them is reached.
fn bounds() -> Bounds {
    Bounds {
        upload: 8 * 1024,
        component: 64 * 1024,
        entries: 16,
        path: 64,
        ratio: 50,
        any_ratio: 1024,
    }
}

fuzz_target!(|data: &[u8]| {
    let bounds = bounds();
    match archive::read(Bytes::copy_from_slice(data), &bounds) {
        Ok(Upload::Component(component)) => assert!(component.len() as u64 <= bounds.component),
        Ok(Upload::Source(files)) => {
            assert!((1..=bounds.entries).contains(&files.len()));
            let paths: HashSet<&str> = files.iter().map(String::as_str).collect();
            assert_eq!(paths.len(), files.len());
            for path in paths {
                assert!(
                    !path.starts_with('/') && path.len() <= bounds.path,
                    "{path}"
                );
                assert!(path.split('/').all(|part| part != ".."), "{path}");
            }
        }
        // It is told in one line.
        Err(error) => assert!(!error.to_string().contains('\n'), "{error:?}"),
    }
});
