//! The control plane of a host, asked over its own listener.

use crate::{Host, OpenMetrics, Reply, Wire};

impl Host {
    /// GET on the control plane.
    #[track_caller]
    pub fn control_plane(&self, path: &str) -> Reply {
        self.ask_control_plane(&format!("GET {path}"), &self.admin_addr().to_string())
    }

    /// A request without a body to the control plane, which it calls `name`. `head` is as for
    /// [`request`](Self::request).
    #[track_caller]
    pub fn ask_control_plane(&self, head: &str, name: &str) -> Reply {
        let mut wire = Wire::connect(self.admin_addr());
        let (first, fields) = head.split_once('\n').unwrap_or((head, ""));
        let fields: String = fields
            .lines()
            .map(|field| format!("{}\r\n", field.trim()))
            .collect();
        wire.send(format!(
            "{first} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n{fields}\r\n"
        ));
        match first.starts_with("HEAD ") {
            true => wire.read_head(),
            false => wire.read_reply(),
        }
    }

    /// What it counts, which must be well-formed.
    #[track_caller]
    pub fn metrics(&self) -> OpenMetrics {
        let asked = "GET /metrics\nAccept: application/openmetrics-text";
        let reply = self.ask_control_plane(asked, &self.admin_addr().to_string());
        assert_eq!(reply.status, 200, "{reply:?}");
        match OpenMetrics::parse(reply.text()) {
            Ok(metrics) => metrics,
            Err(fault) => panic!("{fault}:\n{}", reply.text()),
        }
    }

    /// The value of the sample that is written as `series`.
    #[track_caller]
    pub fn metric(&self, series: &str) -> f64 {
        self.metrics().value(series)
    }
}
