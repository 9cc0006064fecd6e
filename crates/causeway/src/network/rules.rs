use anyhow::{Context, Result};
use causeway_agent::{Console, Environment, ProxySettings};
use hyper_util::client::proxy::matcher::Matcher;
use regress::Regex;
use url::{Host, Position, Url};

use super::proxy::ProxyAddress;

/// Which proxy a request goes through.
///
/// An agent that was configured with a proxy decides alone; else the environment does, as it does for curl and the
/// AWS tools. This machine itself and the metadata addresses of the cloud that it runs in are never proxied: a proxy
/// would answer with credentials of its own.
#[derive(Debug, Default)]
pub(super) struct Proxies {
    http: Option<ProxyAddress>,
    https: Option<ProxyAddress>,
    exceptions: Exceptions,
}

/// What goes past the proxy.
#[derive(Debug)]
enum Exceptions {
    /// The agent's rule (`AgentWebProxy.IsMatchInBypassList`): an expression that matches anywhere in scheme, host and a
    /// port that is not the scheme's own. They are ECMAScript's, any case, there too.
    Addresses(Vec<Regex>),
    /// `NO_PROXY`: hosts, domains, networks.
    Hosts(Box<Matcher>),
}

/// The way that one request takes.
#[derive(Debug)]
pub(super) enum Way<'a> {
    Direct,
    /// Through the proxy for plain http.
    Http(&'a ProxyAddress),
    /// Through the proxy for https.
    Https(&'a ProxyAddress),
}

impl Proxies {
    /// The agent's proxy, or that of the environment. Passwords are registered as secrets before anything is printed.
    ///
    /// # Errors
    /// When an address is none; the message names the variable and never the password.
    pub(super) fn read(environment: &Environment, console: &Console) -> Result<Self> {
        let proxies = match ProxySettings::read(environment) {
            Some(settings) => Self::of_agent(&settings, console)?,
            None => Self::of_environment(environment)?,
        };
        for password in
            [&proxies.http, &proxies.https].into_iter().flatten().filter_map(ProxyAddress::password)
        {
            console.mask(&password.decoded);
            console.mask(&password.encoded);
        }
        Ok(proxies)
    }

    fn of_agent(settings: &ProxySettings, console: &Console) -> Result<Self> {
        const NAME: &str = "the agent's proxy (AGENT_PROXYURL)";
        let bare = ProxyAddress::parse(&settings.url).context(NAME)?;
        let address = match &settings.username {
            Some(user) => bare.with_credentials(user, settings.password.as_ref()).context(NAME)?,
            None => bare,
        };
        // An empty one would match every address; the agent, too, leaves it out.
        let patterns =
            settings.bypass.iter().map(|pattern| pattern.trim()).filter(|pattern| !pattern.is_empty());
        let expressions = patterns.filter_map(|pattern| expression(pattern, console)).collect();
        Ok(Self {
            http: Some(address.clone()),
            https: Some(address),
            exceptions: Exceptions::Addresses(expressions),
        })
    }

    /// The upper-case name comes first, as with the AWS SDKs.
    fn of_environment(environment: &Environment) -> Result<Self> {
        let either = |name: &str| {
            let lower = name.to_lowercase();
            environment.get(name).or_else(|| environment.get(&lower)).map(str::to_owned)
        };
        let proxy = |name: &'static str| {
            either(name).map(|text| ProxyAddress::parse(&text).context(name)).transpose()
        };
        let all = proxy("ALL_PROXY")?;
        Ok(Self {
            http: proxy("HTTP_PROXY")?.or_else(|| all.clone()),
            https: proxy("HTTPS_PROXY")?.or(all),
            exceptions: Exceptions::hosts(&either("NO_PROXY").unwrap_or_default()),
        })
    }

    /// The way to `address`.
    pub(super) fn way(&self, address: &str) -> Way<'_> {
        let Ok(url) = Url::parse(address) else { return Way::Direct };
        if url.host().is_none_or(|host| is_near(&host)) || self.exceptions.hold(&url) {
            return Way::Direct;
        }
        match (url.scheme(), &self.http, &self.https) {
            ("http", Some(proxy), _) => Way::Http(proxy),
            ("https", _, Some(proxy)) => Way::Https(proxy),
            _ => Way::Direct,
        }
    }
}

impl Exceptions {
    /// `*.contoso.com` is written for `.contoso.com` by many, and understood so here.
    fn hosts(list: &str) -> Self {
        let entries = list.split(',').map(str::trim);
        let entries: Vec<&str> =
            entries.map(|entry| if entry.starts_with("*.") { &entry[1..] } else { entry }).collect();
        let matcher = Matcher::builder().all("http://proxy.invalid").no(entries.join(",")).build();
        Self::Hosts(Box::new(matcher))
    }

    fn hold(&self, address: &Url) -> bool {
        match self {
            Self::Addresses(expressions) => {
                // With a slash at the end too, for lists that are written for whole addresses. What stands behind it may be
                // anybody's word: an organization, an object's name.
                let server = &address[..Position::BeforePath];
                let with_slash = format!("{server}/");
                let matches =
                    |text: &str| expressions.iter().any(|expression| expression.find(text).is_some());
                matches(server) || matches(&with_slash)
            }
            Self::Hosts(matcher) => {
                address.as_str().parse().is_ok_and(|address| matcher.intercept(&address).is_none())
            }
        }
    }
}

impl Default for Exceptions {
    fn default() -> Self {
        Self::Addresses(Vec::new())
    }
}

/// The agent, too, goes on without an expression that it cannot read.
fn expression(pattern: &str, console: &Console) -> Option<Regex> {
    Regex::with_flags(pattern, "i")
        .map_err(|error| {
            console.warning(&format!(
                "The agent's proxy bypass list holds \"{pattern}\", which is no regular expression ({error}); it is left out."
            ));
        })
        .ok()
}

/// This machine, its link (169.254.0.0/16: metadata and container credentials of AWS), and the same of IPv6 in EC2.
fn is_near(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback() || address.is_link_local(),
        Host::Ipv6(address) => {
            address.is_loopback()
                || address.is_unicast_link_local()
                || address.segments()[..2] == [0xfd00, 0x0ec2]
        }
        Host::Domain(name) => name.trim_end_matches('.').eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> (Result<Proxies>, String) {
        let environment = Environment::from_pairs(pairs.iter().copied());
        let (console, printed) = crate::network::printed::console();
        let proxies = Proxies::read(&environment, &console);
        (proxies, printed.text())
    }

    fn is_direct(proxies: &Proxies, address: &str) -> bool {
        matches!(proxies.way(address), Way::Direct)
    }

    #[test]
    fn the_agents_bypass_list_is_matched_against_scheme_host_and_port() {
        let (proxies, _) = read(&[
            ("AGENT_PROXYURL", "http://proxy:8080"),
            ("AGENT_PROXYUSERNAME", "build"),
            (
                "AGENT_PROXYBYPASSLIST",
                r#"["^https://[^/]*\\.CONTOSO\\.com"," s3(?=\\.eu) ","  ","","fabrikam","\\.corp$",":8443$","^http://slash\\.example/"]"#,
            ),
            ("HTTPS_PROXY", "http://other:1"),
            ("NO_PROXY", "*"),
        ]);
        let proxies = proxies.unwrap();
        for (address, direct) in [
            ("https://artifacts.contoso.com/x", true),
            ("https://tools.corp/x?y", true),
            ("https://tools.corp:443/x", true),
            ("https://tools.corp:444/x", false),
            ("https://a.example:8443/x", true),
            ("http://slash.example/x", true),
            // An organization, a bucket's object and a query may be called like a host that is bypassed.
            ("https://dev.azure.com/fabrikam/_apis/x", false),
            ("https://b.s3.us-east-1.amazonaws.com/s3.eu?x=fabrikam", false),
            ("https://contoso.com.evil.example/", false),
            ("https://s3.eu-west-1.amazonaws.com/", true),
            ("https://s3.us-east-1.amazonaws.com/", false),
            ("http://127.0.0.1:4000/", true),
            ("http://localhost:4000/", true),
            ("https://localhost./", true),
            ("http://[::1]/", true),
            ("http://169.254.169.254/latest/meta-data", true),
            ("http://169.254.170.2/v2/credentials", true),
            ("http://[fd00:ec2::254]/latest", true),
            ("http://localhost.evil.example/", false),
            ("http://127.0.0.1.evil.example/", false),
            ("http://10.0.0.1/", false),
        ] {
            assert_eq!(is_direct(&proxies, address), direct, "{address}");
        }
    }

    #[test]
    fn an_expression_that_is_none_is_warned_of_and_left_out() {
        let (proxies, printed) = read(&[
            ("AGENT_PROXYURL", "http://proxy:8080"),
            ("AGENT_PROXYBYPASSLIST", r#"["(","ok\\.example"]"#),
        ]);
        let proxies = proxies.unwrap();
        assert!(printed.contains("type=warning") && printed.contains("\"(\""), "{printed}");
        assert!(is_direct(&proxies, "https://ok.example/") && !is_direct(&proxies, "https://a.example/"));
    }

    #[test]
    fn the_environment_decides_without_an_agents_proxy() {
        let (proxies, _) = read(&[
            ("HTTPS_PROXY", "http://secure:1"),
            ("https_proxy", "http://lower:1"),
            ("http_proxy", "plain:2"),
            ("no_proxy", "amazonaws.com, *.contoso.com ,10.0.0.0/8"),
        ]);
        let proxies = proxies.unwrap();
        let shown = |address: &str| match proxies.way(address) {
            Way::Direct => "direct".to_owned(),
            Way::Http(proxy) | Way::Https(proxy) => proxy.shown().to_string(),
        };
        for (address, way) in [
            ("https://dev.azure.com/contoso", "secure:1"),
            ("http://example.com/", "plain:2"),
            ("https://sts.eu-west-1.amazonaws.com/", "direct"),
            ("https://notamazonaws.com/", "secure:1"),
            ("https://tools.contoso.com/", "direct"),
            ("https://10.1.2.3/", "direct"),
            ("https://11.1.2.3/", "secure:1"),
            ("http://169.254.169.254/", "direct"),
            ("http://127.0.0.1:5000/", "direct"),
        ] {
            assert_eq!(shown(address), way, "{address}");
        }
        let (proxies, _) = read(&[("all_proxy", "http://all:3"), ("NO_PROXY", "*")]);
        assert!(is_direct(&proxies.unwrap(), "https://dev.azure.com/"));
        assert!(is_direct(&read(&[]).0.unwrap(), "https://dev.azure.com/"));
    }

    #[test]
    fn passwords_are_masked_and_never_repeated() {
        let (proxies, printed) = read(&[
            ("AGENT_PROXYURL", "http://proxy:8080"),
            ("AGENT_PROXYUSERNAME", "build"),
            ("SECRET_AGENT_PROXYPASSWORD", "p@ss word"),
        ]);
        assert!(proxies.is_ok());
        assert!(printed.contains("##vso[task.setsecret]p@ss word\n"), "{printed}");
        assert!(printed.contains("##vso[task.setsecret]p%AZP2540ss%AZP2520word\n"), "{printed}");
        let (_, printed) = read(&[("HTTPS_PROXY", "http://build:hunter22@proxy:8080")]);
        assert!(printed.contains("##vso[task.setsecret]hunter22\n"), "{printed}");
        for (name, value) in
            [("HTTPS_PROXY", "socks5://u:hunter22@proxy"), ("AGENT_PROXYURL", "ftp://u:hunter22@proxy")]
        {
            let (proxies, printed) = read(&[(name, value)]);
            let error = format!("{:#}", proxies.unwrap_err());
            assert!(
                error.contains(name) && !error.contains("hunter22") && !printed.contains("hunter22"),
                "{error}"
            );
        }
    }
}
