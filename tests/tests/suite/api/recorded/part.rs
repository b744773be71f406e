//! The parts of the recording, and their lines.

/// What is replayed on a host of its own.
pub(super) struct Part<'a> {
    pub(super) title: &'a str,
    pub(super) lines: Vec<Line<'a>>,
}

/// A request, and the status that is to be answered.
pub(super) struct Line<'a> {
    /// Where it stands in the file.
    pub(super) number: usize,
    /// The method and the target.
    pub(super) head: &'a str,
    /// Whose token is sent; of some, none is.
    pub(super) caller: &'a str,
    pub(super) body: Body<'a>,
    pub(super) status: u16,
}

pub(super) enum Body<'a> {
    None,
    Json(&'a str),
    Form(Vec<(String, String)>),
    /// An archive with a component.
    Zip,
}

impl Line<'_> {
    /// Whether it asks what has become of an operation.
    pub(super) fn is_of_operation(&self) -> bool {
        self.head.contains("{operation}")
    }
}

/// The parts in `text`. It panics if they are not as the file says of itself.
pub(super) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(title) = line.strip_prefix("== ") {
            let lines = Vec::new();
            parts.push(Part { title, lines });
            continue;
        }
        let lines = &mut parts.last_mut().expect("a part has a title").lines;
        match line.strip_prefix("  ") {
            Some(body) => lines.last_mut().expect("a body has a head").body = read_body(body),
            None => lines.push(read(number, line)),
        }
    }
    parts
}

fn read(number: usize, line: &str) -> Line<'_> {
    let (request, answer) = line.split_once(" -> ").expect("a line has a status");
    let (head, caller) = request.split_once(" as ").unwrap_or((request, "owner"));
    let (status, difference) = answer.split_once(", there ").unwrap_or((answer, ""));
    let is_explained = difference.is_empty() || difference.contains(": ");
    assert!(is_explained, "line {number} does not say why");
    Line {
        number,
        head,
        caller,
        body: Body::None,
        status: status.parse().expect("a status is a number"),
    }
}

fn read_body(text: &str) -> Body<'_> {
    if text == "zip" {
        return Body::Zip;
    }
    let Some(form) = text.strip_prefix("form ") else {
        return Body::Json(text);
    };
    let fields: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(form).expect("a form is written as JSON");
    let text = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let fields = fields.into_iter();
    Body::Form(fields.map(|(name, value)| (name, text(value))).collect())
}
