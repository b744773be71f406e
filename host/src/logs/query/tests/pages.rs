//! Reading page by page.

use super::*;
use crate::logs::query::page::MAX_PAGE;

const ORDERS: [Order; 2] = [Order::OldestFirst, Order::NewestFirst];

fn by(order: Order, limit: usize) -> Query {
    Query {
        order,
        limit,
        ..Query::default()
    }
}

impl Log {
    /// All pages that `is_match` accepts, with `before_next` called between them.
    fn pages(
        &mut self,
        query: &Query,
        is_match: impl Fn(&StoredEntry) -> bool,
        before_next: impl Fn(&mut Self),
    ) -> Vec<Vec<String>> {
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let page = read_page(&self.directory, query, after.as_ref(), &is_match).unwrap();
            pages.push(texts(&page.entries));
            let Some(next) = page.next else {
                return pages;
            };
            // A token goes to the client and comes back.
            after = Some(next.to_string().parse().unwrap());
            before_next(self);
        }
    }
}

fn in_order(order: Order, numbers: std::ops::Range<u32>) -> Vec<String> {
    let mut texts = count(numbers);
    if order == Order::NewestFirst {
        texts.reverse();
    }
    texts
}

#[test]
fn a_search_that_stops_in_time_goes_on_where_it_stopped() {
    // Over eight days, so that there are several spans, and written in another order.
    let entry = |n: u64| printed("f", n * 37 % 100 * 7_000, &(n * 37 % 100).to_string());
    let log = Log::of((0..100).map(entry));
    for order in ORDERS {
        for (limit, size) in [
            (Duration::ZERO, 7),
            (Duration::MAX, 7),
            (Duration::ZERO, 1_000),
        ] {
            let (mut pages, mut found, mut after) = (0, Vec::new(), None);
            loop {
                let (query, directory) = (by(order, size), &log.directory);
                let page =
                    read_page_within(directory, &query, after.as_ref(), limit, &|_| true).unwrap();
                assert!(page.entries.len() <= size);
                pages += 1;
                found.extend(texts(&page.entries));
                let Some(next) = page.next else { break };
                after = Some(next.to_string().parse::<Position>().unwrap());
            }
            assert_eq!(found, in_order(order, 0..100), "{order:?} {limit:?} {size}");
            assert!(pages > 1, "{order:?} {limit:?} {size}");
        }
    }
}

#[test]
fn pages_of_any_size_have_all_entries_in_order_whatever_the_order_of_writing() {
    let mut log =
        Log::of((0..100).map(|n| printed("f", n * 37 % 100, &(n * 37 % 100).to_string())));
    for order in ORDERS {
        for limit in [0, 1, 7, 50, 99, 100, 1_000] {
            let pages = log.pages(&by(order, limit), |_| true, |_| {});
            let size = limit.clamp(1, 100);
            assert_eq!(pages.len(), 100_usize.div_ceil(size));
            assert!(pages.iter().rev().skip(1).all(|page| page.len() == size));
            assert_eq!(pages.concat(), in_order(order, 0..100));
        }
    }
}

#[test]
fn the_limit_counts_entries_that_match() {
    let mut log = Log::of((0..100).map(|n| printed("f", n, &n.to_string())));
    let is_even = |entry: &StoredEntry| entry.message().parse::<u32>().unwrap() % 2 == 0;
    let pages = log.pages(&by(Order::NewestFirst, 20), is_even, |_| {});
    let sizes: Vec<_> = pages.iter().map(Vec::len).collect();
    assert_eq!(sizes, [20, 20, 10]);
    assert_eq!(pages[0][..2], ["98", "96"]);
    let none = log.pages(&by(Order::NewestFirst, 20), |_| false, |_| {});
    assert_eq!(none, [Vec::<String>::new()]);
}

#[test]
fn entries_of_one_time_are_in_the_order_of_writing_on_all_pages() {
    let mut log = Log::of((0..50).map(|n| printed("f", 7, &n.to_string())));
    for order in ORDERS {
        let pages = log.pages(&by(order, 3), |_| true, |_| {});
        assert_eq!(pages.concat(), in_order(order, 0..50));
    }
}

#[test]
fn new_entries_neither_repeat_nor_hide_those_of_later_pages() {
    for order in ORDERS {
        let mut log = Log::of((0..30).map(|n| printed("f", 100 + n, &n.to_string())));
        let earlier_and_later = |log: &mut Log| {
            log.write(&printed("f", 0, "new"));
            log.write(&printed("f", 500, "new"));
        };
        let pages = log
            .pages(&by(order, 4), |_| true, earlier_and_later)
            .concat();
        let old: Vec<_> = pages.into_iter().filter(|text| text != "new").collect();
        assert_eq!(old, in_order(order, 0..30));
    }
}

#[test]
fn no_entry_hides_another_by_stating_its_insert_id() {
    let said = |text: &str| {
        let line = format!(r#"{{"message":"{text}","logging.googleapis.com/insertId":"i"}}"#);
        printed("f", 1, &line)
    };
    let mut log = Log::of(["a", "b", "c"].map(said));
    for order in ORDERS {
        for limit in 1..5 {
            let mut texts = log.pages(&by(order, limit), |_| true, |_| {}).concat();
            texts.sort();
            assert_eq!(texts, ["a", "b", "c"]);
        }
    }
}

#[test]
fn a_page_ends_when_it_is_large() {
    let large = "x".repeat(MAX_PAGE / 3);
    let mut log = Log::of((0..5).map(|n| printed("f", n, &large)));
    for order in ORDERS {
        let pages = log.pages(&by(order, 100), |_| true, |_| {});
        let sizes: Vec<_> = pages.iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 2, 1]);
    }
}

#[test]
fn a_missing_log_has_one_empty_page() {
    let nowhere = Path::new("/nowhere/at/all");
    let page = read_page(nowhere, &Query::default(), None, &|_| true).unwrap();
    assert!(page.entries.is_empty() && page.next.is_none());
}
