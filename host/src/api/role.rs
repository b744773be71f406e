//! Roles, and the permissions that are in each.
//!
//! Names and meanings are Google's: <https://cloud.google.com/iam/docs/understanding-roles>. Permissions that begin with
//! `host.` are this host's own.

/// A role.
#[derive(Debug)]
pub(crate) struct Role {
    /// Its name, such as `roles/viewer`.
    pub(crate) name: &'static str,
    /// The permissions in it: whole names, `SERVICE.*` or `*.VERB`.
    grants: &'static [&'static str],
    /// Those of them that are not in it.
    except: &'static [&'static str],
}

const fn role(name: &'static str, grants: &'static [&'static str]) -> Role {
    Role {
        name,
        grants,
        except: &[],
    }
}

/// All roles.
pub(crate) const ROLES: &[Role] = &[
    role("roles/owner", &["*"]),
    Role {
        name: "roles/editor",
        grants: &[
            "cloudfunctions.*",
            "cloudscheduler.*",
            "logging.*",
            "iam.serviceAccounts.*",
            "resourcemanager.projects.get",
            "resourcemanager.projects.getIamPolicy",
            "host.runs.list",
            "host.instances.list",
            "host.keys.list",
            "host.explain.get",
            "host.doctor.get",
            "host.keyvalue.list",
            "host.keyvalue.get",
            "host.keyvalue.update",
            "host.revocations.list",
        ],
        except: &[
            "*.setIamPolicy",
            "iam.serviceAccounts.getAccessToken",
            "iam.serviceAccounts.getOpenIdToken",
            "iam.serviceAccounts.signBlob",
            "iam.serviceAccounts.signJwt",
        ],
    },
    Role {
        name: "roles/viewer",
        grants: &["*.get", "*.list", "*.getIamPolicy"],
        // What functions keep is theirs.
        except: &["host.keyvalue.get", "host.state.get"],
    },
    role(
        "roles/cloudfunctions.invoker",
        &["cloudfunctions.functions.invoke"],
    ),
    role("roles/run.invoker", &["cloudfunctions.functions.invoke"]),
    Role {
        name: "roles/cloudfunctions.developer",
        grants: &["cloudfunctions.*", "resourcemanager.projects.get"],
        except: &["*.setIamPolicy"],
    },
    role(
        "roles/cloudfunctions.admin",
        &["cloudfunctions.*", "resourcemanager.projects.get"],
    ),
    role(
        "roles/cloudfunctions.viewer",
        &[
            "cloudfunctions.functions.get",
            "cloudfunctions.functions.list",
            "cloudfunctions.functions.getIamPolicy",
            "cloudfunctions.locations.list",
            "cloudfunctions.operations.get",
            "cloudfunctions.operations.list",
            "cloudfunctions.runtimes.list",
            "resourcemanager.projects.get",
        ],
    ),
    role(
        "roles/cloudscheduler.admin",
        &["cloudscheduler.*", "host.runs.list"],
    ),
    role(
        "roles/cloudscheduler.jobRunner",
        &["cloudscheduler.jobs.run"],
    ),
    role(
        "roles/cloudscheduler.viewer",
        &[
            "cloudscheduler.jobs.get",
            "cloudscheduler.jobs.list",
            "cloudscheduler.locations.get",
            "cloudscheduler.locations.list",
            "host.runs.list",
        ],
    ),
    role(
        "roles/logging.viewer",
        &["logging.logEntries.list", "logging.logs.list"],
    ),
    role("roles/logging.logWriter", &["logging.logEntries.create"]),
    role(
        "roles/iam.serviceAccountAdmin",
        &[
            "iam.serviceAccounts.create",
            "iam.serviceAccounts.delete",
            "iam.serviceAccounts.disable",
            "iam.serviceAccounts.enable",
            "iam.serviceAccounts.get",
            "iam.serviceAccounts.getIamPolicy",
            "iam.serviceAccounts.list",
            "iam.serviceAccounts.setIamPolicy",
            "iam.serviceAccounts.update",
            "resourcemanager.projects.get",
        ],
    ),
    role(
        "roles/iam.serviceAccountUser",
        &[
            "iam.serviceAccounts.actAs",
            "iam.serviceAccounts.get",
            "iam.serviceAccounts.list",
        ],
    ),
    role(
        "roles/iam.serviceAccountTokenCreator",
        &[
            "iam.serviceAccounts.get",
            "iam.serviceAccounts.getAccessToken",
            "iam.serviceAccounts.getOpenIdToken",
            "iam.serviceAccounts.list",
        ],
    ),
];

impl Role {
    /// The role with this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        ROLES.iter().find(|role| role.name == name)
    }

    /// Whether `permission` is in it.
    pub(crate) fn grants(&self, permission: &str) -> bool {
        let covers = |patterns: &[&str]| patterns.iter().any(|one| is_covered(permission, one));
        covers(self.grants) && !covers(self.except)
    }
}

fn is_covered(permission: &str, pattern: &str) -> bool {
    match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(prefix), _) => permission.starts_with(prefix),
        (None, Some(suffix)) => permission.ends_with(suffix),
        (None, None) => permission == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(role: &str, permission: &str) -> bool {
        Role::named(role).unwrap().grants(permission)
    }

    #[test]
    fn the_owner_may_do_everything_and_the_editor_gives_nobody_anything() {
        assert!(grants(
            "roles/owner",
            "resourcemanager.projects.setIamPolicy"
        ));
        assert!(grants("roles/editor", "cloudfunctions.functions.update"));
        assert!(grants("roles/editor", "iam.serviceAccounts.actAs"));
        for refused in [
            "cloudfunctions.functions.setIamPolicy",
            "resourcemanager.projects.setIamPolicy",
            "iam.serviceAccounts.setIamPolicy",
            "iam.serviceAccounts.getAccessToken",
            "host.state.get",
            "host.keys.rotate",
        ] {
            assert!(!grants("roles/editor", refused), "{refused}");
        }
    }

    #[test]
    fn a_viewer_reads_and_does_not_change_call_or_read_what_functions_keep() {
        assert!(grants("roles/viewer", "cloudscheduler.jobs.list"));
        for refused in [
            "cloudscheduler.jobs.run",
            "cloudfunctions.functions.invoke",
            "iam.serviceAccounts.getAccessToken",
            "iam.serviceAccounts.getOpenIdToken",
            "host.keyvalue.get",
        ] {
            assert!(!grants("roles/viewer", refused), "{refused}");
        }
    }
}
