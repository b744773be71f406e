//! Google's full names, which say in which project and location a thing is. A host has one of each, whatever they are called.

/// The last part of `projects/PROJECT/locations/LOCATION/COLLECTION/NAME`.
pub(crate) fn last_of_full_name<'a>(text: &'a str, collection: &str) -> Option<&'a str> {
    let parts: Vec<_> = text.split('/').collect();
    match parts[..] {
        ["projects", project, "locations", location, of, name]
            if of == collection && !project.is_empty() && !location.is_empty() =>
        {
            Some(name)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_name_ends_in_the_name() {
        let of = |text| last_of_full_name(text, "jobs");
        assert_eq!(of("projects/p/locations/l/jobs/j"), Some("j"));
        for other in [
            "j",
            "projects/p/locations/l/functions/j",
            "projects//locations/l/jobs/j",
            "projects/p/locations/l/jobs/j/k",
            "/projects/p/locations/l/jobs/j",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
