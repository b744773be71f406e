//! What the store is told of this process, so that commands know how it serves.

use std::path::Path;

use host_tokens::{IssuerUrl, Member};

use super::addresses::Addresses;
use crate::identity::OutsideIssuer;
use crate::serve::options::{ComponentAccess, ComponentOptions, ServeOptions};
use crate::store::{NamedIssuer, ServedComponent, ServingHost};

/// This process, with the name of its own issuer, and who may call its component if it has one.
pub(in crate::serve) fn serving_host(
    options: &ServeOptions,
    addresses: &Addresses,
    issuer: &IssuerUrl,
    access: Option<&ComponentAccess>,
) -> ServingHost {
    ServingHost {
        pid: std::process::id(),
        url: addresses.url.clone(),
        public_url: addresses.public_url.clone(),
        public_urls: addresses.public_urls.clone(),
        issuer: issuer.to_string(),
        serves_functions: options.functions.is_some(),
        issuers: options.identity.issuers.iter().map(named).collect(),
        config: options.config.as_deref().map(absolute),
        component: options.component.as_ref().zip(access).map(component),
    }
}

fn component((component, access): (&ComponentOptions, &ComponentAccess)) -> ServedComponent {
    let members = access.members();
    ServedComponent {
        name: component.name.clone(),
        members: members.map(|members| members.iter().map(Member::to_string).collect()),
    }
}

fn named(issuer: &OutsideIssuer) -> NamedIssuer {
    NamedIssuer {
        url: issuer.config.issuer().to_string(),
        audiences: issuer.config.audiences().to_vec(),
    }
}

/// A command may be run in another directory.
fn absolute(path: &Path) -> String {
    let absolute = std::path::absolute(path);
    absolute.as_deref().unwrap_or(path).display().to_string()
}
