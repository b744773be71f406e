//! Which function a request is for.
//!
//! A function has one path, `/NAME` and what is below it. The first segment is compared as it was sent, byte by byte:
//! no escape is decoded and no `.`, `..` or empty segment resolved, so no second spelling leads to a function.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::uri::PathAndQuery;
use http::{HeaderValue, Request, Uri};

use super::admission::Admission;
use super::counters::Counters;
use crate::identity::access::Access;
use crate::request_target::Authority;
use host_sandbox::Function;

/// A function as one worker serves it.
pub(in crate::serve) struct Route {
    pub(in crate::serve) function: Function,
    pub(in crate::serve) name: Arc<str>,
    /// `/NAME`, below which it answers if it goes by its name.
    pub(in crate::serve) path: HeaderValue,
    pub(in crate::serve) access: Access,
    pub(in crate::serve) admission: Arc<Admission>,
    pub(in crate::serve) counters: Arc<Counters>,
}

/// The function that a request is for.
pub(in crate::serve) struct Taken {
    pub(in crate::serve) route: Arc<Route>,
    /// Whether it answers below its name, which was taken off the path.
    pub(in crate::serve) is_below_name: bool,
}

/// All functions that one worker serves.
#[derive(Clone, Default)]
pub(in crate::serve) struct Routes {
    /// Takes what no other route takes, with its whole path.
    pub(in crate::serve) root: Option<Arc<Route>>,
    pub(in crate::serve) by_name: HashMap<String, Arc<Route>>,
    /// By host name, in lower case, without port.
    pub(in crate::serve) by_host: HashMap<String, Arc<Route>>,
    /// The longest wall time of a function that was ever served: one that is gone may have executions under way.
    pub(in crate::serve) longest_wall_time: Duration,
}

impl Routes {
    /// The function that `request` is for, which asks `asked`. A request for a function by name is made one for what is
    /// below that name.
    pub(in crate::serve) fn take<B>(
        &self,
        request: &mut Request<B>,
        asked: &Authority,
    ) -> Option<Taken> {
        let whole = |route: &Arc<Route>| Taken {
            route: Arc::clone(route),
            is_below_name: false,
        };
        if let Some(route) = self.by_host(asked) {
            return Some(whole(route));
        }
        if let Some((route, below)) = self.by_name(request.uri()) {
            let mut parts = std::mem::take(request.uri_mut()).into_parts();
            parts.path_and_query = Some(below);
            // Of the parts of a URI only its path has changed, for another valid one.
            *request.uri_mut() = Uri::from_parts(parts).ok()?;
            return Some(Taken {
                route,
                is_below_name: true,
            });
        }
        self.root.as_ref().map(whole)
    }

    /// What serves the function of `route` by now, unless it is gone. One that was made anew by its name is another.
    pub(in crate::serve) fn successor(&self, route: &Route) -> Option<&Arc<Route>> {
        let named = self.by_name.get(&*route.name);
        let mut candidates = named.into_iter().chain(&self.root);
        candidates.find(|other| Arc::ptr_eq(&other.counters, &route.counters))
    }

    /// Turns away whoever waits for an instance.
    pub(in crate::serve) fn close(&self) {
        for route in self.by_name.values().chain(&self.root) {
            route.admission.close();
        }
    }

    fn by_host(&self, asked: &Authority) -> Option<&Arc<Route>> {
        if self.by_host.is_empty() {
            return None;
        }
        self.by_host.get(&asked.host().to_ascii_lowercase())
    }

    fn by_name(&self, uri: &Uri) -> Option<(Arc<Route>, PathAndQuery)> {
        let rest = uri.path_and_query()?.as_str().strip_prefix('/')?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (name, below) = rest.split_at(end);
        let route = self.by_name.get(name)?;
        let below = match below.as_bytes().first() {
            Some(b'/') => below.parse(),
            _ => format!("/{below}").parse(),
        };
        Some((Arc::clone(route), below.ok()?))
    }
}
