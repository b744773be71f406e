//! `host auth gcloud-env`

use std::fs;
use std::process::ExitCode;

use clap::Args;

use super::super::Message;
use super::super::client::ClientArgs;
use super::super::format::print;
use super::super::shell_words;
use super::print_access_token::of_owner;
use crate::identity::token_file;

/// The APIs that gcloud is to ask here.
const APIS: [&str; 13] = [
    "APPENGINE",
    "ARTIFACTREGISTRY",
    "CLOUDBUILD",
    "CLOUDFUNCTIONS",
    "CLOUDRESOURCEMANAGER",
    "CLOUDSCHEDULER",
    "EVENTARC",
    "IAM",
    "IAMCREDENTIALS",
    "LOGGING",
    "RUN",
    "SERVICEUSAGE",
    "STORAGE",
];

/// What gcloud would ask or tell somebody else.
const QUIET: [(&str, &str); 4] = [
    ("CLOUDSDK_CORE_DISABLE_PROMPTS", "1"),
    ("CLOUDSDK_CORE_DISABLE_USAGE_REPORTING", "true"),
    ("CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK", "true"),
    ("CLOUDSDK_SURVEY_DISABLE_PROMPTS", "true"),
];

/// Print the environment that points gcloud and Google's clients at this host
///
/// `eval "$(host auth gcloud-env)"` sets it in this shell, and a new shell is as before. The token is in a file that the host
/// keeps fresh while it serves.
#[derive(Args)]
pub(super) struct GcloudEnv {
    #[command(flatten)]
    host: ClientArgs,
}

impl GcloudEnv {
    pub(super) fn run(self) -> Result<ExitCode, Message> {
        let client = self.host.client()?;
        let about = client.get("/host/v1/host")?;
        let text = |field: &str| about[field].as_str().unwrap_or_default().to_owned();
        let url = self.host.endpoint().map(str::to_owned);
        let url = url.or_else(|| about["controlPlaneUrl"].as_str().map(str::to_owned));
        let url = url
            .ok_or("no host serves this store; start one with `host serve`, and run this again")?;
        let directory = self.host.state.directory()?;
        let configuration = token_file::directory(&directory);
        fs::create_dir_all(&configuration)
            .map_err(|error| format!("{}: {error}", configuration.display()))?;
        let token = match self.host.access_token_file() {
            Some(file) => std::path::absolute(file).map_err(|error| error.to_string())?,
            None => {
                let file = token_file::path(&directory);
                token_file::write(&file, &of_owner(&client)?)
                    .map_err(|error| format!("{}: {error}", file.display()))?;
                file
            }
        };
        let (project, location) = (text("project"), text("location"));
        let mut variables = vec![
            (
                "CLOUDSDK_CONFIG".to_owned(),
                configuration.display().to_string(),
            ),
            (
                "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE".to_owned(),
                token.display().to_string(),
            ),
            ("CLOUDSDK_CORE_PROJECT".to_owned(), project.clone()),
            ("GOOGLE_CLOUD_PROJECT".to_owned(), project),
            ("CLOUDSDK_FUNCTIONS_REGION".to_owned(), location.clone()),
            ("CLOUDSDK_RUN_REGION".to_owned(), location),
            // With functions of the second generation gcloud takes the runtimes alone that it knows itself.
            ("CLOUDSDK_FUNCTIONS_GEN2".to_owned(), "off".to_owned()),
        ];
        if let Some(file) = self.host.endpoint_ca() {
            let file = std::path::absolute(file).map_err(|error| error.to_string())?;
            let name = "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE".to_owned();
            variables.push((name, file.display().to_string()));
        }
        let url = url.trim_end_matches('/');
        variables.extend(APIS.map(|api| {
            let name = format!("CLOUDSDK_API_ENDPOINT_OVERRIDES_{api}");
            (name, format!("{url}/"))
        }));
        variables.extend(QUIET.map(|(name, value)| (name.to_owned(), value.to_owned())));
        print(&exports(&variables))?;
        Ok(ExitCode::SUCCESS)
    }
}

fn exports(variables: &[(String, String)]) -> String {
    let lines = variables.iter().map(|(name, value)| {
        let value = shell_words::typed(&[value]);
        format!("export {name}={value}\n")
    });
    lines.collect()
}
