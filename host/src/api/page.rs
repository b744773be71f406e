//! Lists in pages (AIP-158).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Status;
use crate::store::StoreError;

/// The most items in a page, and how many are in one unless fewer are asked for.
const LARGEST: usize = 500;

/// What a request says of the page that it wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    size: usize,
    /// The name of the last item of the page before.
    after: Option<String>,
}

impl Page {
    /// Reads `pageSize` and `pageToken`.
    ///
    /// # Errors
    /// If the size is no number or the token is not one that a list has given.
    pub(crate) fn read(size: Option<&str>, token: Option<&str>) -> Result<Self, Status> {
        let size = match size.filter(|text| !text.is_empty()) {
            None => 0,
            Some(text) => text.parse().map_err(|_| {
                Status::invalid(format!("pageSize is `{text}`; expected a whole number"))
            })?,
        };
        let after = token.filter(|token| !token.is_empty()).map(|token| {
            let bytes = URL_SAFE_NO_PAD.decode(token).ok();
            bytes
                .and_then(|bytes| String::from_utf8(bytes).ok())
                .ok_or_else(unknown_token)
        });
        Ok(Self {
            size,
            after: after.transpose()?,
        })
    }

    /// The items of this page, of `items` in the order of their names, and the token of the next page if there is one.
    pub(crate) fn of<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        name: impl Fn(&T) -> String,
    ) -> (Vec<T>, Option<String>) {
        let size = self.size();
        let is_later = |item: &T| self.after.as_ref().is_none_or(|after| name(item) > *after);
        let mut items = items.into_iter().filter(is_later);
        let page: Vec<T> = items.by_ref().take(size).collect();
        let next = items.next().and(page.last());
        let token = next.map(|last| URL_SAFE_NO_PAD.encode(name(last)));
        (page, token)
    }

    /// As [`of`](Self::of), of items that have numbers, the highest first. `fetch` is given how many are wanted, and below
    /// which number.
    ///
    /// # Errors
    /// If the token is not one of such a list, or `fetch` fails.
    pub(crate) fn of_numbers<T>(
        &self,
        fetch: impl FnOnce(usize, Option<i64>) -> Result<Vec<T>, StoreError>,
        number: impl Fn(&T) -> i64,
    ) -> Result<(Vec<T>, Option<String>), Status> {
        let before = self.after.as_deref().map(str::parse).transpose();
        let before = before.map_err(|_| unknown_token())?;
        let size = self.size();
        let mut items = fetch(size + 1, before)?;
        let is_last = items.len() <= size;
        items.truncate(size);
        let last = items.last().filter(|_| !is_last);
        let token = last.map(|last| URL_SAFE_NO_PAD.encode(number(last).to_string()));
        Ok((items, token))
    }

    /// How many items it has at most.
    pub(crate) fn size(&self) -> usize {
        match self.size {
            0 => LARGEST,
            size => size.min(LARGEST),
        }
    }

    /// The name of the last item of the page before.
    pub(crate) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }
}

fn unknown_token() -> Status {
    Status::invalid("pageToken is not one that a list of this host gave")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_go_on_where_the_last_one_ended_whatever_was_removed_meanwhile() {
        let name = |item: &&str| (*item).to_owned();
        let (first, token) = Page::read(Some("2"), None)
            .unwrap()
            .of(["a", "b", "c", "d"], name);
        assert_eq!(first, ["a", "b"]);
        let page = Page::read(Some("2"), token.as_deref()).unwrap();
        let (second, token) = page.of(["a", "c", "d"], name);
        assert_eq!((second, token), (vec!["c", "d"], None));
    }

    #[test]
    fn pages_of_numbers_begin_with_the_highest() {
        let fetch = |limit: usize, before: Option<i64>| {
            let all = (1..=5).rev();
            let later = all.filter(|number| before.is_none_or(|before| *number < before));
            Ok(later.take(limit).collect::<Vec<i64>>())
        };
        let (first, token) = Page::read(Some("3"), None)
            .unwrap()
            .of_numbers(fetch, |number| *number)
            .unwrap();
        assert_eq!(first, [5, 4, 3]);
        let page = Page::read(Some("3"), token.as_deref()).unwrap();
        let (second, token) = page.of_numbers(fetch, |number| *number).unwrap();
        assert_eq!((second, token), (vec![2, 1], None));
        let foreign = Page::read(None, Some("eA")).unwrap();
        assert!(foreign.of_numbers(fetch, |number| *number).is_err());
    }

    #[test]
    fn a_page_has_500_items_at_most() {
        for size in [None, Some("0"), Some("501"), Some("100000")] {
            let page = Page::read(size, None).unwrap();
            let (items, token) = page.of((0..600).map(|n| format!("{n:03}")), Clone::clone);
            assert_eq!(items.len(), 500);
            assert!(token.is_some());
        }
        for bad in [Page::read(Some("-1"), None), Page::read(None, Some("*"))] {
            assert!(bad.is_err());
        }
    }
}
