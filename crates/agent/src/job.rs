use secrecy::SecretString;

use crate::environment::Environment;
use crate::variables::Variables;

/// What the agent says of the running job, as far as Causeway needs it.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    environment: &'a Environment,
}

impl<'a> Job<'a> {
    /// The job that `environment` describes.
    #[must_use]
    pub fn new(environment: &'a Environment) -> Self {
        Self { environment }
    }

    /// The job's own access token. The system connection has it always, `System.AccessToken` only after an opt-in in
    /// classic releases.
    #[must_use]
    pub fn token(&self) -> Option<SecretString> {
        self.environment
            .get("ENDPOINT_AUTH_PARAMETER_SYSTEMVSSCONNECTION_ACCESSTOKEN")
            .map(SecretString::from)
            .or_else(|| self.system_connection_token())
            .or_else(|| self.variables().secret("System.AccessToken"))
    }

    fn system_connection_token(&self) -> Option<SecretString> {
        let authorization = self.environment.get("ENDPOINT_AUTH_SYSTEMVSSCONNECTION")?;
        let authorization: serde_json::Value = serde_json::from_str(authorization).ok()?;
        let parameters = authorization.get("parameters")?.as_object()?;
        let (_, token) = parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case("AccessToken"))?;
        token.as_str().map(SecretString::from)
    }

    /// Where this job's OIDC tokens are made (the "Oidctoken - Create" call of the distributedtask REST API).
    ///
    /// The agent names the address in `System.OidcRequestUri`; agents that do not know it get the one that the
    /// documentation gives, put together from the job's own variables.
    #[must_use]
    pub fn oidc_request_uri(&self) -> Option<String> {
        let variable = |name| self.variables().public(name);
        if let Some(uri) = variable("System.OidcRequestUri") {
            return Some(uri.to_owned());
        }
        Some(format!(
            "{}/{}/_apis/distributedtask/hubs/{}/plans/{}/jobs/{}/oidctoken",
            self.collection_uri()?.trim_end_matches('/'),
            variable("System.TeamProjectId")?,
            variable("System.HostType")?,
            variable("System.PlanId")?,
            variable("System.JobId")?,
        ))
    }

    /// The server that the agent works for. Unlike a variable, no script of the job can set it.
    #[must_use]
    pub fn server(&self) -> Option<&'a str> {
        self.environment.get("ENDPOINT_URL_SYSTEMVSSCONNECTION")
    }

    /// The address of the organization or collection, such as `https://dev.azure.com/contoso/`.
    #[must_use]
    pub fn collection_uri(&self) -> Option<&'a str> {
        self.variables()
            .public("System.CollectionUri")
            .or_else(|| self.variables().public("System.TeamFoundationCollectionUri"))
    }

    /// The organization's name, from `https://dev.azure.com/{organization}` or `https://{organization}.visualstudio.com`.
    #[must_use]
    pub fn organization(&self) -> Option<String> {
        let uri = url::Url::parse(self.collection_uri()?).ok()?;
        let host = uri.host_str()?;
        if let Some(organization) = host.strip_suffix(".visualstudio.com") {
            return Some(organization.to_owned());
        }
        uri.path_segments()?.find(|segment| !segment.is_empty()).map(str::to_owned)
    }

    /// What the run is called in AWS's audit trail: the pipeline's name and the number of its run.
    ///
    /// Classic releases have `Release.*` variables instead of `Build.*`.
    #[must_use]
    pub fn run(&self) -> Option<(&'a str, &'a str)> {
        let variable = |name| self.variables().public(name);
        match (variable("Release.DefinitionName"), variable("Release.ReleaseId")) {
            (Some(definition), Some(release)) => Some((definition, release)),
            _ => variable("Build.DefinitionName").zip(variable("Build.BuildId")),
        }
    }

    /// The folder that the agent empties after each job.
    #[must_use]
    pub fn temp_directory(&self) -> Option<&'a str> {
        self.variables().public("Agent.TempDirectory")
    }

    fn variables(&self) -> Variables<'a> {
        Variables::new(self.environment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn the_token_comes_from_the_system_connection_first() {
        let token = |pairs: &[(&str, &str)]| {
            Job::new(&Environment::from_pairs(pairs.iter().copied()))
                .token()
                .map(|t| t.expose_secret().to_owned())
        };
        let parameter = ("ENDPOINT_AUTH_PARAMETER_SYSTEMVSSCONNECTION_ACCESSTOKEN", "one");
        let connection =
            ("ENDPOINT_AUTH_SYSTEMVSSCONNECTION", r#"{"scheme":"OAuth","parameters":{"AccessToken":"two"}}"#);
        let variable = ("SECRET_SYSTEM_ACCESSTOKEN", "three");
        assert_eq!(token(&[parameter, connection, variable]).as_deref(), Some("one"));
        assert_eq!(token(&[connection, variable]).as_deref(), Some("two"));
        assert_eq!(token(&[variable]).as_deref(), Some("three"));
        assert_eq!(token(&[]), None);
    }

    #[test]
    fn the_token_address_is_the_agents_or_is_put_together() {
        let mut pairs = vec![
            ("SYSTEM_COLLECTIONURI", "https://dev.azure.com/contoso/"),
            ("SYSTEM_TEAMPROJECTID", "pid"),
            ("SYSTEM_HOSTTYPE", "build"),
            ("SYSTEM_PLANID", "plan"),
            ("SYSTEM_JOBID", "job"),
        ];
        let uri =
            |pairs: &[(&str, &str)]| Job::new(&Environment::from_pairs(pairs.to_vec())).oidc_request_uri();
        assert_eq!(
            uri(&pairs).as_deref(),
            Some(
                "https://dev.azure.com/contoso/pid/_apis/distributedtask/hubs/build/plans/plan/jobs/job/oidctoken"
            )
        );
        assert_eq!(uri(&pairs[1..]), None);
        pairs.push(("SYSTEM_OIDCREQUESTURI", "https://x/oidctoken"));
        assert_eq!(uri(&pairs).as_deref(), Some("https://x/oidctoken"));
    }

    #[test]
    fn organizations_have_two_forms_of_address() {
        for (uri, organization) in [
            ("https://dev.azure.com/contoso/", Some("contoso")),
            ("https://contoso.visualstudio.com/", Some("contoso")),
            ("http://127.0.0.1:4000/contoso/", Some("contoso")),
            ("https://dev.azure.com/", None),
        ] {
            let environment = Environment::from_pairs([("SYSTEM_COLLECTIONURI", uri)]);
            assert_eq!(Job::new(&environment).organization().as_deref(), organization, "{uri}");
        }
    }

    #[test]
    fn a_release_is_named_by_its_own_variables() {
        let build = [("BUILD_DEFINITIONNAME", "shop ci"), ("BUILD_BUILDID", "7")];
        let release = [("RELEASE_DEFINITIONNAME", "shop cd"), ("RELEASE_RELEASEID", "3")];
        assert_eq!(Job::new(&Environment::from_pairs(build)).run(), Some(("shop ci", "7")));
        let both = Environment::from_pairs(build.into_iter().chain(release));
        assert_eq!(Job::new(&both).run(), Some(("shop cd", "3")));
    }
}
