//! What other programs must be told to take the agent's proxy.

use anyhow::{Context, Result};
use causeway_agent::{Environment, ProxySettings};
use secrecy::SecretString;

use super::proxy::ProxyAddress;

/// Never through a proxy: this machine, and where AWS machines find their metadata and container credentials.
const ALWAYS_DIRECT: [&str; 4] = ["localhost", "127.0.0.1", "169.254.169.254", "169.254.170.2"];

/// The agent's proxy as curl, the AWS tools and most others read it.
pub(crate) struct ToolProxy {
    /// For `HTTPS_PROXY` and `HTTP_PROXY`; user and password stand in it.
    pub(crate) address: SecretString,
    /// For `NO_PROXY`.
    pub(crate) exceptions: String,
    /// Expressions of the bypass list that `NO_PROXY` has no form for.
    pub(crate) left_out: Vec<String>,
}

impl ToolProxy {
    /// `None` when the agent has no proxy: then the environment's own variables hold, as they are.
    ///
    /// # Errors
    /// When the address is none.
    pub(crate) fn of_agent(environment: &Environment) -> Result<Option<Self>> {
        const NAME: &str = "the agent's proxy (AGENT_PROXYURL)";
        let Some(settings) = ProxySettings::read(environment) else { return Ok(None) };
        let bare = ProxyAddress::parse(&settings.url).context(NAME)?;
        let address = match &settings.username {
            Some(user) => bare.with_credentials(user, settings.password.as_ref()).context(NAME)?,
            None => bare,
        };
        let mut hosts: Vec<String> = ALWAYS_DIRECT.map(str::to_owned).to_vec();
        let mut left_out = Vec::new();
        for expression in settings.bypass {
            match as_host(&expression) {
                Some(host) => hosts.push(host),
                None => left_out.push(expression),
            }
        }
        Ok(Some(Self { address: address.full().clone(), exceptions: hosts.join(","), left_out }))
    }
}

/// The host or domain that a regular expression over addresses stands for, where it is as simple as they mostly are:
/// `contoso\.com`, `^https?://.*\.contoso\.com`, `*.contoso.com`, `10.0.0.1:8080`.
fn as_host(expression: &str) -> Option<String> {
    let mut rest = expression.trim().trim_start_matches('^').trim_end_matches('$');
    for scheme in ["https?://", "http[s]?://", "(http|https)://", "https://", "http://", "https?:\\/\\/"] {
        rest = rest.strip_prefix(scheme).unwrap_or(rest);
    }
    let (domain, rest) =
        [".*\\.", "[^/]*\\.", "[^.]*\\.", ".+\\.", "(.*\\.)?", "(.+\\.)?", "*.", "\\.", ".*", "."]
            .iter()
            .find_map(|any| rest.strip_prefix(any).map(|rest| (true, rest)))
            .unwrap_or((false, rest));
    let rest =
        [".*", "/", "/*", "(:\\d+)?"].iter().fold(rest, |rest, any| rest.strip_suffix(any).unwrap_or(rest));
    let host = rest.trim_end_matches('/').replace("\\.", ".").replace("\\-", "-");
    let plain = |character: char| character.is_ascii_alphanumeric() || "-.:".contains(character);
    let is_host = !host.is_empty() && host.chars().all(plain) && host.contains(char::is_alphanumeric);
    is_host.then(|| if domain { format!(".{host}") } else { host })
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn simple_expressions_become_hosts() {
        for (expression, host) in [
            ("contoso\\.com", Some("contoso.com")),
            ("^https?://.*\\.contoso\\.com", Some(".contoso.com")),
            ("https?://tools\\.contoso\\.com/.*", Some("tools.contoso.com")),
            ("*.contoso.com", Some(".contoso.com")),
            ("10.0.0.1:8080", Some("10.0.0.1:8080")),
            ("\\.internal$", Some(".internal")),
            ("localhost", Some("localhost")),
            ("s3(?=\\.eu)", None),
            ("10\\.\\d+\\.", None),
            (".*", None),
            ("", None),
        ] {
            assert_eq!(as_host(expression).as_deref(), host, "{expression}");
        }
    }

    #[test]
    fn the_password_is_encoded_and_this_machine_is_never_proxied() {
        let environment = Environment::from_pairs([
            ("AGENT_PROXYURL", "http://proxy:8080"),
            ("AGENT_PROXYUSERNAME", "build"),
            ("SECRET_AGENT_PROXYPASSWORD", "p@ss word"),
            ("AGENT_PROXYBYPASSLIST", r#"["\\.contoso\\.com","a|b"]"#),
        ]);
        let proxy = ToolProxy::of_agent(&environment).unwrap().unwrap();
        assert_eq!(proxy.address.expose_secret(), "http://build:p%40ss%20word@proxy:8080/");
        assert_eq!(proxy.exceptions, "localhost,127.0.0.1,169.254.169.254,169.254.170.2,.contoso.com");
        assert_eq!(proxy.left_out, ["a|b"]);
        assert!(ToolProxy::of_agent(&Environment::default()).unwrap().is_none());
    }
}
