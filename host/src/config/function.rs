use std::path::Path;

use toml::Spanned;

use crate::settings::{FunctionSettings, FunctionTable};

impl FunctionTable {
    /// The settings that are kept; paths begin at `directory`.
    pub(super) fn settings(&self, directory: &Path) -> FunctionSettings {
        let mut settings = FunctionSettings {
            allow_unauthenticated: self.allow_unauthenticated,
            invokers: texts(&self.invokers),
            invoker_rules: self
                .invoker_rules
                .iter()
                .map(|rule| rule.as_ref().clone())
                .collect(),
            audiences: self.audiences.clone(),
            service_account: self.service_account.clone(),
            environment: self.env_vars.clone(),
            config: self.config.clone(),
            keyvalue_buckets: texts(&self.keyvalue_buckets),
            secrets: self
                .secrets
                .iter()
                .map(|(name, file)| (name.clone(), directory.join(file.as_ref())))
                .collect(),
            allow_outbound: texts(&self.allow_outbound),
            hosts: self
                .hosts
                .iter()
                .map(|host| host.as_ref().to_ascii_lowercase())
                .collect(),
            labels: self.labels.clone(),
            warm: self.warm,
            ..FunctionSettings::default()
        };
        self.apply(directory, &mut settings);
        settings
    }
}

fn texts<C: FromIterator<String>>(texts: &[Spanned<String>]) -> C {
    texts.iter().map(|text| text.as_ref().clone()).collect()
}
