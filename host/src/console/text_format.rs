//! From the OpenMetrics text format to the older one of Prometheus, version 0.0.4.
//!
//! Samples are the same. What is said of them is not: a counter goes by the name of its samples, which ends in `_total`;
//! a kind of its own for facts, `info`, is unknown; and there is neither a unit nor an end.

/// The lines of `open_metrics` in the other format.
pub(super) fn convert(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(said) = line.strip_prefix("# HELP ") {
            // Its name depends on the type, which comes next.
            help = said.split_once(' ');
        } else if let Some((name, kind)) = line
            .strip_prefix("# TYPE ")
            .and_then(|said| said.split_once(' '))
        {
            let (end, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                kind => ("", kind),
            };
            if let Some((_, help)) = help.take() {
                text.extend(["# HELP ", name, end, " ", help, "\n"]);
            }
            text.extend(["# TYPE ", name, end, " ", kind, "\n"]);
        } else if !line.starts_with('#') {
            text.extend([line, "\n"]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_and_facts_go_by_the_names_of_their_samples() {
        let open_metrics = "# HELP a_seconds What a counts.\n# TYPE a_seconds counter\n# UNIT a_seconds seconds\n\
             a_seconds_total{b=\"# TYPE\"} 1\n# HELP c The program.\n# TYPE c info\nc_info{version=\"1\"} 1\n\
             # HELP d How many.\n# TYPE d gauge\nd 2\n# EOF\n";
        let text = "# HELP a_seconds_total What a counts.\n# TYPE a_seconds_total counter\n\
             a_seconds_total{b=\"# TYPE\"} 1\n# HELP c_info The program.\n# TYPE c_info gauge\nc_info{version=\"1\"} 1\n\
             # HELP d How many.\n# TYPE d gauge\nd 2\n";
        assert_eq!(convert(open_metrics), text);
    }
}
