//! Why a method did not do what it was asked, in the form of `google.rpc.Status`.
//!
//! <https://cloud.google.com/apis/design/errors>

use serde_json::{Map, Value, json};

use crate::store::{KeyValueError, OperationError, StoreError, UploadError};

/// Who says so, in `ErrorInfo`.
const DOMAIN: &str = "host";

/// A code of `google.rpc.Code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// The request makes no sense, whatever the state is.
    InvalidArgument,
    /// It took longer than it may.
    DeadlineExceeded,
    /// There is no such resource.
    NotFound,
    /// There is such a resource already.
    AlreadyExists,
    /// The caller may not.
    PermissionDenied,
    /// Too much at once, or in all.
    ResourceExhausted,
    /// Not in this state.
    FailedPrecondition,
    /// Somebody else changed it meanwhile.
    Aborted,
    /// There is no such method.
    Unimplemented,
    /// The host failed.
    Internal,
    /// Not at this moment.
    Unavailable,
    /// Nobody knows who calls.
    Unauthenticated,
}

impl Code {
    const ALL: [Self; 12] = [
        Self::InvalidArgument,
        Self::DeadlineExceeded,
        Self::NotFound,
        Self::AlreadyExists,
        Self::PermissionDenied,
        Self::ResourceExhausted,
        Self::FailedPrecondition,
        Self::Aborted,
        Self::Unimplemented,
        Self::Internal,
        Self::Unavailable,
        Self::Unauthenticated,
    ];

    /// Its number, its name, and the status of HTTP that goes with it.
    const fn row(self) -> (u8, &'static str, u16) {
        match self {
            Self::InvalidArgument => (3, "INVALID_ARGUMENT", 400),
            Self::DeadlineExceeded => (4, "DEADLINE_EXCEEDED", 504),
            Self::NotFound => (5, "NOT_FOUND", 404),
            Self::AlreadyExists => (6, "ALREADY_EXISTS", 409),
            Self::PermissionDenied => (7, "PERMISSION_DENIED", 403),
            Self::ResourceExhausted => (8, "RESOURCE_EXHAUSTED", 429),
            // Google's mapping has 400; its clients know 412 as the error that a precondition failed.
            Self::FailedPrecondition => (9, "FAILED_PRECONDITION", 412),
            Self::Aborted => (10, "ABORTED", 409),
            Self::Unimplemented => (12, "UNIMPLEMENTED", 501),
            Self::Internal => (13, "INTERNAL", 500),
            Self::Unavailable => (14, "UNAVAILABLE", 503),
            Self::Unauthenticated => (16, "UNAUTHENTICATED", 401),
        }
    }

    /// The code with this name; that of a failed host for a name that is none.
    pub(crate) fn named(name: &str) -> Self {
        let found = Self::ALL.into_iter().find(|code| code.name() == name);
        found.unwrap_or(Self::Internal)
    }

    /// The code with this number; that of a failed host for a number that is none.
    pub(crate) fn numbered(number: u64) -> Self {
        let mut all = Self::ALL.into_iter();
        let found = all.find(|code| u64::from(code.number()) == number);
        found.unwrap_or(Self::Internal)
    }

    /// Its number in `google.rpc.Code`.
    pub(crate) const fn number(self) -> u8 {
        self.row().0
    }

    /// Its name, such as `NOT_FOUND`.
    pub(crate) const fn name(self) -> &'static str {
        self.row().1
    }

    /// The status of HTTP.
    pub(crate) const fn http(self) -> u16 {
        self.row().2
    }
}

/// Why a method failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Status {
    /// What kind of failure it is.
    pub(crate) code: Code,
    /// What was wrong, what was expected and what to do, in one line.
    pub(crate) message: String,
    /// What it says to a command in this process instead, which nobody else is told.
    told_here: Option<String>,
    /// What programs tell it by, if that says more than the code does.
    reason: Option<&'static str>,
    /// Facts for programs.
    metadata: Vec<(&'static str, String)>,
    /// Details of a type of their own.
    more: Vec<Value>,
}

impl Status {
    /// A failure of the kind `code`.
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            told_here: None,
            reason: None,
            metadata: Vec::new(),
            more: Vec::new(),
        }
    }

    /// A request that makes no sense.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    /// A resource that is not there, by its full name.
    pub(crate) fn not_found(resource: &str) -> Self {
        Self::new(
            Code::NotFound,
            format!("Resource '{resource}' was not found"),
        )
        .about(resource)
    }

    /// A resource that is there already, by its full name.
    pub(crate) fn exists(resource: &str) -> Self {
        Self::new(
            Code::AlreadyExists,
            format!("Resource '{resource}' already exists."),
        )
        .about(resource)
    }

    /// Whether the caller may not.
    pub(crate) fn is_denied(&self) -> bool {
        self.code == Code::PermissionDenied
    }

    /// Names the resource that it is about.
    #[must_use]
    pub(crate) fn about(mut self, resource: &str) -> Self {
        self.metadata.push(("resource", resource.to_owned()));
        self
    }

    /// Names the reason that programs tell it by.
    #[must_use]
    pub(crate) fn because(mut self, reason: &'static str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// Adds a fact for programs.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.metadata.push((name, value.into()));
        self
    }

    /// Adds details that have a type of their own, named by their `@type`.
    #[must_use]
    pub(crate) fn with_detail(mut self, detail: Value) -> Self {
        self.more.push(detail);
        self
    }

    /// As the body of an answer.
    pub(crate) fn body(&self) -> Value {
        json!({ "error": {
            "code": self.code.http(),
            "message": self.message,
            "status": self.code.name(),
            "details": self.details(),
        }})
    }

    fn details(&self) -> Value {
        let metadata = self.metadata.iter();
        let metadata: Map<_, _> = metadata
            .map(|(name, value)| ((*name).to_owned(), json!(value)))
            .collect();
        let info = json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": self.reason.unwrap_or(self.code.name()),
            "domain": DOMAIN,
            "metadata": metadata,
        });
        let details = std::iter::once(&info).chain(&self.more);
        details.cloned().collect()
    }
}

/// The message, which is all that a command tells.
impl From<Status> for String {
    fn from(status: Status) -> Self {
        status.told_here.unwrap_or(status.message)
    }
}

impl From<StoreError> for Status {
    fn from(error: StoreError) -> Self {
        let code = match &error {
            StoreError::NoFunction { .. }
            | StoreError::NoServiceAccount { .. }
            | StoreError::NoJob { .. }
            | StoreError::NoBucket { .. } => Code::NotFound,
            StoreError::ServiceAccountExists(_)
            | StoreError::JobExists(_)
            | StoreError::FunctionExists(_) => Code::AlreadyExists,
            StoreError::Upload(error) => of_upload(error),
            StoreError::Operation(OperationError::Missing(_)) => Code::NotFound,
            StoreError::Operation(_) => Code::Aborted,
            StoreError::Declared { .. }
            | StoreError::JobDeclared { .. }
            | StoreError::HostTaken { .. }
            | StoreError::DamagedFunction { .. }
            | StoreError::DamagedJob { .. } => Code::FailedPrecondition,
            StoreError::Settings(_) => Code::InvalidArgument,
            StoreError::PolicyChanged(_) => Code::Aborted,
            StoreError::KeyValue(
                KeyValueError::Key(_) | KeyValueError::Value(_) | KeyValueError::Keys(_),
            ) => Code::InvalidArgument,
            _ => {
                // It may name files of this machine, which are nobody's affair who calls from another.
                tracing::error!("a method of the control plane failed: {error}");
                let message = "the host's store failed; the host's own log says why";
                return Self {
                    told_here: Some(error.to_string()),
                    ..Self::new(Code::Internal, message)
                };
            }
        };
        Self::new(code, error.to_string())
    }
}

fn of_upload(error: &UploadError) -> Code {
    match error {
        UploadError::TooMany | UploadError::Full => Code::ResourceExhausted,
        UploadError::TooLarge(_) => Code::InvalidArgument,
        UploadError::Missing => Code::NotFound,
        UploadError::Used | UploadError::Empty => Code::FailedPrecondition,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_form_that_clients_read() {
        let body = Status::not_found("projects/p/locations/l/jobs/j").body();
        assert_eq!(body["error"]["code"], 404);
        assert_eq!(body["error"]["status"], "NOT_FOUND");
        let info = &body["error"]["details"][0];
        assert_eq!(info["@type"], "type.googleapis.com/google.rpc.ErrorInfo");
        assert_eq!(info["reason"], "NOT_FOUND");
        assert_eq!(
            info["metadata"]["resource"],
            "projects/p/locations/l/jobs/j"
        );
    }

    #[test]
    fn what_the_store_says_of_this_machine_is_not_told() {
        let error = StoreError::Replaced("/somewhere/secret".into());
        let status = Status::from(error);
        assert_eq!(status.code, Code::Internal);
        for told in [status.to_string(), status.body().to_string()] {
            assert!(!told.contains("secret"), "{told}");
        }
        // A command in this process has no log of the host to look into.
        assert!(String::from(status).contains("/somewhere/secret"));
    }
}
