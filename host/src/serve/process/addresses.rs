//! By which addresses this process is known.

use std::net::SocketAddr;

use host_tokens::IssuerUrl;

use crate::serve::error::ServeError;
use crate::serve::options::ServeOptions;
use crate::store::Project;

/// The addresses of the listeners, as others write them.
pub(in crate::serve) struct Addresses {
    /// Where the functions answer, without a slash at the end.
    pub(in crate::serve) url: String,
    /// By which of them callers know it first of all, if that was said: without a slash at the end.
    pub(in crate::serve) public_url: Option<String>,
    /// All addresses by which callers know the functions, which tokens may be for: those that were said, or else that of
    /// the listener. A token for an address that callers on other machines have too would be good for each of their hosts.
    pub(in crate::serve) public_urls: Vec<String>,
    /// The host name by which Google would serve the functions, if the host has a project.
    pub(in crate::serve) google_name: Option<String>,
    issuer: Option<IssuerUrl>,
    /// Where the control plane answers.
    pub(in crate::serve) control_plane: String,
}

impl Addresses {
    pub(in crate::serve) fn new(
        options: &ServeOptions,
        addr: SocketAddr,
        admin: SocketAddr,
        project: &Project,
    ) -> Self {
        let scheme = match options.tls {
            Some(_) => "https",
            None => "http",
        };
        let url = format!("{scheme}://{addr}");
        let mut public_urls = options.identity.public_urls.clone();
        if public_urls.is_empty() {
            public_urls.push(url.clone());
            if addr.ip().is_loopback() {
                public_urls.push(format!("{scheme}://localhost:{}", addr.port()));
            }
        }
        let google_name = project.google_name();
        let google_url = google_name.as_ref().map(|name| format!("https://{name}"));
        public_urls.extend(google_url);
        Self {
            url,
            public_url: options
                .identity
                .public_urls
                .first()
                .map(|url| url.trim_end_matches('/').to_owned()),
            public_urls,
            google_name,
            issuer: options.identity.issuer_url.clone(),
            control_plane: match options.admin_tls {
                Some(_) => format!("https://{admin}"),
                None => format!("http://{admin}"),
            },
        }
    }

    /// Whom outside tokens may be for that open the control plane: its addresses, by every name that it goes by.
    pub(in crate::serve) fn control_plane_audiences(&self, names: &[String]) -> Vec<String> {
        let mut audiences = vec![self.control_plane.clone()];
        let port = self.control_plane.rsplit(':').next().unwrap_or_default();
        if self.control_plane.contains("//127.0.0.1:") {
            audiences.push(self.control_plane.replace("127.0.0.1", "localhost"));
        }
        audiences.extend(self.issuer.iter().map(ToString::to_string));
        for name in names {
            audiences.push(format!("https://{name}"));
            audiences.push(format!("https://{name}:{port}"));
        }
        audiences
    }

    /// What the host's own issuer is called: where its keys are published.
    ///
    /// # Errors
    /// Not for the address of a listener.
    pub(in crate::serve) fn issuer(&self) -> Result<IssuerUrl, ServeError> {
        match &self.issuer {
            Some(issuer) => Ok(issuer.clone()),
            None => Ok(self.control_plane.parse()?),
        }
    }
}
