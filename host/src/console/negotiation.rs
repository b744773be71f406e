//! In which format a scraper reads metrics (RFC 9110, section 12.5.1).

use http::{HeaderMap, header};

/// A text format of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// What Prometheus reads since version 0.0.4, and whoever asks for nothing else.
    Text,
    /// <https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md>
    OpenMetrics,
}

impl Format {
    /// The one that who sent `headers` likes best: the first of those of one weight, and text if none is asked for.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut best = (Self::Text, 0.0);
        let ranges = headers.get_all(header::ACCEPT).iter();
        let ranges = ranges.filter_map(|value| value.to_str().ok());
        for range in ranges.flat_map(|value| value.split(',')) {
            if let Some((format, weight)) = read(range)
                && weight > best.1
            {
                best = (format, weight);
            }
        }
        best.0
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// The format that is within one media range, and how much it is liked.
fn read(range: &str) -> Option<(Format, f32)> {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next()?.to_ascii_lowercase();
    let (mut version, mut weight) = (None, 1.0);
    for parameter in parts {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        match name.trim().to_ascii_lowercase().as_str() {
            "version" => version = Some(value),
            "q" => weight = value.parse().ok()?,
            _ => {}
        }
    }
    let format = match (&*media, version) {
        ("application/openmetrics-text", None | Some("1.0.0" | "0.0.1")) => Format::OpenMetrics,
        ("text/plain", None | Some("0.0.4")) | ("text/*" | "*/*", _) => Format::Text,
        _ => return None,
    };
    Some((format, weight))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn format(accept: &[&'static str]) -> Format {
        let values = accept
            .iter()
            .map(|value| (header::ACCEPT, HeaderValue::from_static(value)));
        Format::of(&HeaderMap::from_iter(values))
    }

    #[test]
    fn text_is_for_whoever_asks_for_it_or_for_nothing_that_there_is() {
        for accept in [
            &[][..],
            &["text/plain;version=0.0.4"],
            &["text/plain"],
            &["*/*"],
            &["text/html, */*;q=0.8"],
            &["application/json"],
            &["application/openmetrics-text;q=0"],
            &["application/openmetrics-text;version=2.0.0"],
            &["application/openmetrics-text;q=0.5,text/plain;version=0.0.4;q=0.6"],
            &["application/openmetrics-text;q=high"],
        ] {
            assert_eq!(format(accept), Format::Text, "{accept:?}");
        }
    }

    #[test]
    fn openmetrics_is_for_whoever_likes_it_best() {
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
             text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for accept in [
            &["application/openmetrics-text"][..],
            &["Application/OpenMetrics-Text; Version=\"1.0.0\"; charset=utf-8"],
            &[prometheus],
            &["text/plain;q=0.5", "application/openmetrics-text"],
            &["application/openmetrics-text, */*"],
        ] {
            assert_eq!(format(accept), Format::OpenMetrics, "{accept:?}");
        }
    }
}
