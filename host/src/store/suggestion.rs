//! What was most likely meant by a name that is not there.

/// How alike two names are that one could be mistyped for, from 0 to 1 (Jaro and Winkler).
const ALIKE: f64 = 0.8;

/// Of `names`, the one most like `name`, if it is much like it.
pub(crate) fn nearest(name: &str, names: impl IntoIterator<Item = String>) -> Option<String> {
    names
        .into_iter()
        .map(|other| (strsim::jaro_winkler(name, &other), other))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}

/// The rest of a sentence that says that a name is not there.
pub(crate) fn did_you_mean(nearest: Option<&String>) -> String {
    nearest.map_or_else(String::new, |name| format!("; did you mean `{name}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_suggested_if_it_is_near() {
        let names = || ["hello_world", "goodbye"].map(str::to_owned);
        assert_eq!(
            nearest("helo_world", names()).as_deref(),
            Some("hello_world")
        );
        assert_eq!(nearest("zzz", names()), None);
    }
}
