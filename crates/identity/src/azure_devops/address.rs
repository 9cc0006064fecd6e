use url::Url;

use super::error::TokenRequestError;
use crate::safe_address::is_safe_for_tokens;

/// The job's token address, known to be safe to send the job's token to.
#[derive(Debug, Clone)]
pub(crate) struct TokenAddress(Url);

/// The parts of `…/{organization}/{project}/_apis/distributedtask/hubs/{hub}/plans/{plan}/jobs/{job}/oidctoken`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TokenPath {
    pub(crate) organization: String,
    pub(crate) project: String,
    pub(crate) hub: String,
    pub(crate) plan: String,
    pub(crate) job: String,
}

impl TokenAddress {
    /// Takes an https address, or http on this machine itself (for tests).
    pub(crate) fn parse(text: &str) -> Result<Self, TokenRequestError> {
        let invalid = || TokenRequestError::InvalidAddress { address: text.to_owned() };
        let url = Url::parse(text).map_err(|_| invalid())?;
        if url.host().is_none() {
            return Err(invalid());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TokenRequestError::InvalidAddress {
                address: "one with a user name in it".to_owned(),
            });
        }
        if is_safe_for_tokens(&url) {
            Ok(Self(url))
        } else {
            Err(TokenRequestError::InsecureAddress { address: text.to_owned() })
        }
    }

    /// Whether it is an address of the server that the agent works for (`server`), or of Azure DevOps under Microsoft's own
    /// names. Scripts of the job may have set the variable that the address comes from, and not the agent's server.
    pub(crate) fn is_of(&self, server: &Url) -> bool {
        let host = self.0.host_str().unwrap_or_default();
        let is_microsofts =
            self.0.scheme() == "https" && (host == "dev.azure.com" || host.ends_with(".visualstudio.com"));
        is_microsofts || self.0.origin() == server.origin()
    }

    /// The host's name, for messages.
    pub(crate) fn host(&self) -> String {
        self.0.host_str().unwrap_or_default().to_owned()
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> Url {
        let mut origin = self.0.clone();
        origin.set_path("");
        origin.set_query(None);
        origin.set_fragment(None);
        origin
    }

    /// The address itself, with the API version and `query` of the call.
    pub(crate) fn with_query(&self, connection_id: Option<&str>) -> Url {
        let mut url = self.0.clone();
        url.set_query(None);
        url.set_fragment(None);
        url.query_pairs_mut().append_pair("api-version", "7.1");
        if let Some(connection_id) = connection_id {
            url.query_pairs_mut().append_pair("serviceConnectionId", connection_id);
        }
        url
    }

    /// The parts that the REST API names. What an address leaves out (`*.visualstudio.com` has no organization in its
    /// path) stays empty: the call goes to the agent's address all the same.
    pub(crate) fn path(&self) -> TokenPath {
        let segments: Vec<&str> = self.0.path_segments().map(Iterator::collect).unwrap_or_default();
        let Some(apis) = segments.iter().position(|segment| *segment == "_apis") else {
            return TokenPath::default();
        };
        let after = |name: &str| {
            let at = segments.iter().position(|segment| *segment == name);
            at.and_then(|at| segments.get(at + 1)).map(|part| (*part).to_owned()).unwrap_or_default()
        };
        let before =
            |back: usize| apis.checked_sub(back).map(|at| segments[at].to_owned()).unwrap_or_default();
        TokenPath {
            organization: before(2),
            project: before(1),
            hub: after("hubs"),
            plan: after("plans"),
            job: after("jobs"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAIL: &str = "pid/_apis/distributedtask/hubs/build/plans/plan-1/jobs/job-1/oidctoken";

    #[test]
    fn only_https_and_this_machine_get_the_token() {
        for good in
            ["https://dev.azure.com/contoso", "http://127.0.0.1:81/x", "http://[::1]/x", "http://localhost/x"]
        {
            assert!(TokenAddress::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://dev.azure.com/contoso",
            "http://127.0.0.1.evil.example/",
            "http://localhost.evil.example/",
            "ftp://127.0.0.1/",
            "https://user:secret@dev.azure.com/",
            "dev.azure.com/contoso",
            "https://",
            "",
        ] {
            let error = TokenAddress::parse(bad).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }

    #[test]
    fn only_the_agents_server_and_azure_devops_itself_get_the_token() {
        let server = Url::parse("https://devops.contoso.com/tfs/Main/").unwrap();
        for (address, own) in [
            ("https://devops.contoso.com/tfs/Main/x", true),
            ("https://dev.azure.com/contoso/x", true),
            ("https://contoso.visualstudio.com/x", true),
            ("https://devops.contoso.com:8443/x", false),
            ("https://evil.example/x", false),
            ("https://dev.azure.com.evil.example/x", false),
            ("https://evilvisualstudio.com/x", false),
            ("http://127.0.0.1:81/x", false),
        ] {
            assert_eq!(TokenAddress::parse(address).unwrap().is_of(&server), own, "{address}");
        }
        let server = Url::parse("http://127.0.0.1:81/contoso/").unwrap();
        assert!(TokenAddress::parse("http://127.0.0.1:81/x").unwrap().is_of(&server));
        assert!(!TokenAddress::parse("http://127.0.0.1:82/x").unwrap().is_of(&server));
    }

    #[test]
    fn the_parts_are_found_in_every_form_of_address() {
        for (address, organization) in [
            (format!("https://dev.azure.com/contoso/{TAIL}"), "contoso"),
            (format!("https://contoso.visualstudio.com/{TAIL}"), ""),
            (format!("https://server/tfs/DefaultCollection/{TAIL}"), "DefaultCollection"),
        ] {
            let path = TokenAddress::parse(&address).unwrap().path();
            let parts = [path.organization, path.project, path.hub, path.plan, path.job];
            assert_eq!(parts, [organization, "pid", "build", "plan-1", "job-1"], "{address}");
        }
        assert_eq!(TokenAddress::parse("https://x/y").unwrap().path(), TokenPath::default());
    }

    #[test]
    fn the_query_is_ours() {
        let address = TokenAddress::parse("https://dev.azure.com/contoso/t?api-version=1&x=y#z").unwrap();
        assert_eq!(
            address.with_query(Some("id&1")).as_str(),
            "https://dev.azure.com/contoso/t?api-version=7.1&serviceConnectionId=id%261"
        );
        assert_eq!(address.origin().as_str(), "https://dev.azure.com/");
    }
}
