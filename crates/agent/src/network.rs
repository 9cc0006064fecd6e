use secrecy::SecretString;

use crate::environment::Environment;

/// The proxy that the agent was configured with. The agent sets no `HTTPS_PROXY`: a task must use these itself.
#[derive(Debug, Clone)]
pub struct ProxySettings {
    /// Address of the proxy, such as `http://proxy.contoso.com:8080`.
    pub url: String,
    /// User name towards the proxy.
    pub username: Option<String>,
    /// Password towards the proxy.
    pub password: Option<SecretString>,
    /// Regular expressions (.NET's, matched against the address) for what goes past the proxy.
    pub bypass: Vec<String>,
}

impl ProxySettings {
    /// The agent's proxy, if it has one.
    #[must_use]
    pub fn read(environment: &Environment) -> Option<Self> {
        let bypass = environment.get("AGENT_PROXYBYPASSLIST").unwrap_or("[]");
        Some(Self {
            url: environment.get("AGENT_PROXYURL")?.to_owned(),
            username: environment.get("AGENT_PROXYUSERNAME").map(str::to_owned),
            password: secret(environment, "AGENT_PROXYPASSWORD"),
            bypass: serde_json::from_str(bypass).unwrap_or_default(),
        })
    }
}

/// A secret variable, or an ordinary one of that name.
fn secret(environment: &Environment, name: &str) -> Option<SecretString> {
    environment.get(&format!("SECRET_{name}")).or_else(|| environment.get(name)).map(SecretString::from)
}

/// The certificates that the agent was configured with; paths of PEM files.
#[derive(Debug, Clone, Default)]
pub struct CertificateSettings {
    /// Authorities to trust beside the machine's (`AGENT_CAINFO`).
    pub authorities: Option<String>,
    /// Certificate to show to Azure DevOps (`AGENT_CLIENTCERT`).
    pub client_certificate: Option<String>,
    /// Key of that certificate (`AGENT_CLIENTCERTKEY`).
    pub client_key: Option<String>,
    /// Password of that key (secret variable `Agent.ClientCertPassword`).
    pub client_key_password: Option<SecretString>,
    /// The agent does not check certificates (`AGENT_SKIPCERTVALIDATION`).
    pub skip_validation: bool,
}

impl CertificateSettings {
    /// The agent's certificates.
    #[must_use]
    pub fn read(environment: &Environment) -> Self {
        let path = |name| environment.get(name).map(str::to_owned);
        Self {
            authorities: path("AGENT_CAINFO"),
            client_certificate: path("AGENT_CLIENTCERT"),
            client_key: path("AGENT_CLIENTCERTKEY"),
            client_key_password: secret(environment, "AGENT_CLIENTCERTPASSWORD"),
            skip_validation: environment
                .get("AGENT_SKIPCERTVALIDATION")
                .is_some_and(|value| value.eq_ignore_ascii_case("true")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn the_agents_proxy_is_read_with_its_secret_password() {
        let environment = Environment::from_pairs([
            ("AGENT_PROXYURL", "http://proxy:8080"),
            ("AGENT_PROXYUSERNAME", "build"),
            ("SECRET_AGENT_PROXYPASSWORD", "p@ss"),
            ("AGENT_PROXYBYPASSLIST", r#"["localhost","\\.contoso\\.com"]"#),
        ]);
        let proxy = ProxySettings::read(&environment).unwrap();
        assert_eq!((proxy.url.as_str(), proxy.username.as_deref()), ("http://proxy:8080", Some("build")));
        assert_eq!(proxy.password.as_ref().unwrap().expose_secret(), "p@ss");
        assert_eq!(proxy.bypass, ["localhost", "\\.contoso\\.com"]);
        assert!(!format!("{proxy:?}").contains("p@ss"));
        assert!(ProxySettings::read(&Environment::default()).is_none());
    }

    #[test]
    fn the_agents_certificates_are_read() {
        let environment = Environment::from_pairs([
            ("AGENT_CAINFO", "/ca.pem"),
            ("AGENT_CLIENTCERT", "/cert.pem"),
            ("SECRET_AGENT_CLIENTCERTPASSWORD", "hunter22"),
            ("AGENT_SKIPCERTVALIDATION", "True"),
        ]);
        let settings = CertificateSettings::read(&environment);
        assert_eq!(settings.authorities.as_deref(), Some("/ca.pem"));
        assert_eq!(settings.client_certificate.as_deref(), Some("/cert.pem"));
        assert_eq!(settings.client_key, None);
        assert!(settings.skip_validation);
        assert_eq!(settings.client_key_password.as_ref().unwrap().expose_secret(), "hunter22");
        assert!(!format!("{settings:?}").contains("hunter22"));
        let none = CertificateSettings::read(&Environment::default());
        assert!(none.authorities.is_none() && none.client_certificate.is_none() && !none.skip_validation);
    }
}
