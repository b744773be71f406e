//! What is wrong below `[jobs]`, and with service accounts, told where it stands.

use std::ops::Range;

use host_tokens::SERVICE_ACCOUNT_DOMAIN;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{ConfigError, ConfigFile};
use crate::scheduler::JobError;
use crate::store::{JobName, Store};

impl ConfigFile {
    /// What is wrong with the value of `key` of the job `name`, where the file has it.
    pub fn bad_job_key(&self, name: &JobName, key: &str, message: &str) -> ConfigError {
        match self.key("jobs", name.as_str(), key) {
            None => self.bad_job(name, message),
            place => self.at(place, message),
        }
    }

    /// Makes sure that the service accounts which the file names are there, if they would be of this host.
    ///
    /// # Errors
    /// The first that is not, or what is wrong with the database.
    pub fn check_accounts(&self, store: &Store) -> Result<(), ConfigError> {
        const KEY: &str = "oidc-service-account-email";
        for job in self.jobs() {
            if let Some(account) = &job.settings.oidc_account {
                let found = store.service_account(account);
                found.map_err(|error| self.bad_job_key(&job.name, KEY, &error.to_string()))?;
            }
        }
        for function in self.functions() {
            let account = function.settings.service_account.as_deref();
            let is_own = |account: &&str| {
                let domain = account.split_once('@').map(|(_, domain)| domain);
                domain.is_none_or(|domain| domain == SERVICE_ACCOUNT_DOMAIN)
            };
            if let Some(account) = account.filter(is_own) {
                let place = self.key("functions", function.name.as_str(), "service-account");
                let found = store.service_account(account);
                found.map_err(|error| self.at(place, &error.to_string()))?;
            }
            let invokers = function.settings.invokers.iter();
            for account in invokers.filter_map(|member| member.strip_prefix("serviceAccount:")) {
                let place = self.key("functions", function.name.as_str(), "invokers");
                let found = store.service_account(account);
                found.map_err(|error| self.at(place, &error.to_string()))?;
            }
        }
        Ok(())
    }

    /// What is wrong with the settings of the job `name`.
    pub(super) fn bad_setting(&self, name: &Spanned<JobName>, error: &JobError) -> ConfigError {
        let name = name.as_ref();
        let message = match error {
            JobError::Schedule(error) => error.to_string(),
            error => error.to_string(),
        };
        if let JobError::Header { name: field, .. } = error {
            let place = self.with("jobs", name.as_str(), |job| header(job, field));
            if place.is_some() {
                return self.at(place, &message);
            }
        }
        match error.flag() {
            Some(key) => self.bad_job_key(name, key, &message),
            None => self.bad_job(name, &message),
        }
    }

    /// Where the value of `key` stands in the table `name` below `[kind]`.
    fn key(&self, kind: &str, name: &str, key: &str) -> Option<Range<usize>> {
        self.with(kind, name, |table| Some(table.get(key)?.span()))
    }

    /// What `look` finds in the table `name` below `[kind]`.
    fn with<T>(
        &self,
        kind: &str,
        name: &str,
        look: impl Fn(&DeTable<'_>) -> Option<T>,
    ) -> Option<T> {
        let document = DeTable::parse(self.text()).ok()?;
        let tables = document.get_ref().get(kind)?.get_ref();
        look(tables.get(name)?.get_ref().as_table()?)
    }
}

/// Where the field `name` of a job's requests stands.
fn header(job: &DeTable<'_>, name: &str) -> Option<Range<usize>> {
    let headers = job.get("headers")?.get_ref();
    let DeValue::Table(headers) = headers else {
        return None;
    };
    // The last one, of two that differ in case.
    let mut fields = headers.iter().rev();
    let field = fields.find(|(field, _)| field.get_ref().trim().eq_ignore_ascii_case(name));
    field.map(|(field, _)| field.span())
}
