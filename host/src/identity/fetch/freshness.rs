//! How long keys are good that came with an answer.

use std::time::Duration;

use http::{HeaderMap, header};

/// At least and at most, whatever their issuer says, and if it says nothing.
pub(super) const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
const USUAL: Duration = Duration::from_secs(10 * 60);

/// What `Cache-Control` and `Age` say (RFC 9111, sections 4.2 and 5.2.2), within bounds. `no-cache` and `no-store` count
/// more than any age, wherever they stand.
pub(super) fn good_for(head: &HeaderMap) -> Duration {
    let fields = head.get_all(header::CACHE_CONTROL).iter();
    let directives: Vec<String> = fields
        .filter_map(|field| field.to_str().ok())
        .flat_map(|field| field.split(','))
        .map(|directive| directive.trim().to_ascii_lowercase())
        .collect();
    if directives
        .iter()
        .any(|directive| matches!(directive.as_str(), "no-cache" | "no-store"))
    {
        return SHORTEST;
    }
    let longest = directives.iter().find_map(|directive| {
        let seconds = directive.strip_prefix("max-age=")?;
        seconds.trim_matches('"').parse::<u64>().ok()
    });
    let age = head.get(header::AGE);
    let age = age.and_then(|age| age.to_str().ok()?.trim().parse().ok());
    longest.map_or(USUAL, |seconds| {
        let left = seconds.saturating_sub(age.unwrap_or(0));
        Duration::from_secs(left).clamp(SHORTEST, LONGEST)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good_for_with(field: &str) -> Duration {
        let mut head = HeaderMap::new();
        head.insert(header::CACHE_CONTROL, field.parse().unwrap());
        good_for(&head)
    }

    #[test]
    fn what_the_issuer_says_counts_between_a_minute_and_a_day() {
        assert_eq!(good_for(&HeaderMap::new()), USUAL);
        assert_eq!(
            good_for_with("public, max-age=3600, must-revalidate"),
            Duration::from_secs(3600)
        );
        assert_eq!(good_for_with("max-age=1"), SHORTEST);
        assert_eq!(good_for_with("no-store"), SHORTEST);
        assert_eq!(good_for_with("Max-Age=99999999"), LONGEST);
        assert_eq!(good_for_with("max-age=soon"), USUAL);
    }

    #[test]
    fn what_must_not_be_kept_is_not_and_what_was_kept_on_the_way_is_older() {
        assert_eq!(good_for_with("max-age=3600, no-cache"), SHORTEST);
        assert_eq!(good_for_with("no-cache, max-age=3600"), SHORTEST);
        let mut head = HeaderMap::new();
        head.insert(header::CACHE_CONTROL, "max-age=3600".parse().unwrap());
        for (age, left) in [("600", 3000), ("3600", 60), ("99999", 60), ("old", 3600)] {
            head.insert(header::AGE, age.parse().unwrap());
            assert_eq!(good_for(&head), Duration::from_secs(left), "{age}");
        }
    }
}
