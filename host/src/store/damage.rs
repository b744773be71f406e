//! Records that are not what this program writes: each is read as far as it can be, so that it does no harm but to what
//! it is about.

use rusqlite::Row;
use serde::de::DeserializeOwned;

use super::StoreError;

/// The text in a column. Bytes that are none are replaced: then it names nothing that there is.
pub(super) fn text(row: &Row<'_>, column: usize) -> Result<String, rusqlite::Error> {
    let value = row.get_ref(column)?;
    let bytes = value.as_bytes().map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, value.data_type(), Box::new(error))
    })?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// The text in a column that may be empty.
pub(super) fn optional_text(
    row: &Row<'_>,
    column: usize,
) -> Result<Option<String>, rusqlite::Error> {
    match row.get_ref(column)? {
        rusqlite::types::ValueRef::Null => Ok(None),
        _ => text(row, column).map(Some),
    }
}

/// What a column of JSON says, or the default and what is wrong with it.
pub(super) fn settings<T: DeserializeOwned + Default>(
    row: &Row<'_>,
    column: usize,
) -> Result<(T, Option<String>), rusqlite::Error> {
    let read = serde_json::from_str(&text(row, column)?);
    Ok(match read {
        Ok(settings) => (settings, None),
        Err(error) => (T::default(), Some(error.to_string())),
    })
}

/// The records of `rows`, which tell an id beside each, and the ids of those whose name is none.
pub(super) fn told_apart<T>(
    rows: impl Iterator<Item = Result<(i64, Result<T, StoreError>), rusqlite::Error>>,
) -> Result<(Vec<T>, Vec<i64>), StoreError> {
    let (mut named, mut unnamed) = (Vec::new(), Vec::new());
    for row in rows {
        match row? {
            (id, Err(StoreError::Record(_))) => unnamed.push(id),
            (_, record) => named.push(record?),
        }
    }
    Ok((named, unnamed))
}

/// Without the records whose name is none: nothing can be done with them, and nobody can ask for them.
pub(super) fn named<T>(
    records: impl Iterator<Item = Result<Result<T, StoreError>, rusqlite::Error>>,
) -> Result<Vec<T>, StoreError> {
    let records = records.filter_map(|record| match record {
        Ok(Err(StoreError::Record(_))) => None,
        Ok(record) => Some(record),
        Err(error) => Some(Err(error.into())),
    });
    records.collect()
}
