use std::fmt::{self, Write};

use anyhow::{Context, Result, bail};
use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use base64::{Engine, prelude::BASE64_STANDARD};
use causeway_agent::{CertificateSettings, Environment};
use rustls::RootCertStore;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

/// The variables that replace the machine's own authorities (OpenSSL's names).
const OVERRIDES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// The authorities whose servers are trusted, every one known to be readable: the HTTP client panics at others.
pub(super) struct Authorities {
    certificates: Vec<CertificateDer<'static>>,
    described: String,
}

impl Authorities {
    /// The machine's authorities (or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`), and beside them those of the agent
    /// (`AGENT_CAINFO`) and of AWS tools (`AWS_CA_BUNDLE`). On a machine that has none of its own, such as a slim
    /// container image, Mozilla's list in this binary stands in.
    ///
    /// # Errors
    /// When a file that was named cannot be read or holds no certificate; the message names it.
    pub(super) fn load(settings: &CertificateSettings, environment: &Environment) -> Result<Self> {
        let mut all = Self::of_machine(environment)?;
        for (name, path) in [
            ("AGENT_CAINFO", settings.authorities.as_deref()),
            ("AWS_CA_BUNDLE", environment.get("AWS_CA_BUNDLE")),
        ] {
            let Some(path) = path else { continue };
            let bundle = bundle(path).with_context(|| format!("{name}: {path}"))?;
            let _ = write!(all.described, ", {} of {name}", bundle.len());
            all.certificates.extend(bundle);
        }
        Ok(all)
    }

    fn of_machine(environment: &Environment) -> Result<Self> {
        if let Some(path) = environment.get("SSL_CERT_FILE") {
            bundle(path).with_context(|| format!("SSL_CERT_FILE: {path}"))?;
        }
        let loaded = rustls_native_certs::load_native_certs();
        let source = OVERRIDES.into_iter().find(|name| environment.get(name).is_some());
        let all = Self::of(loaded.certs, source);
        match source {
            Some(name) if all.certificates.is_empty() => {
                bail!("{name}: it holds no certificate that can be used")
            }
            _ => Ok(all),
        }
    }

    /// Without a `source` the certificates are the machine's own, and embedded ones replace them if there are none.
    fn of(certificates: Vec<CertificateDer<'static>>, source: Option<&str>) -> Self {
        let usable = usable(certificates);
        if usable.is_empty() && source.is_none() {
            let embedded = TLS_SERVER_ROOT_CERTS.to_vec();
            let described = format!("{} embedded ones, as this machine has none", embedded.len());
            return Self { certificates: embedded, described };
        }
        let described = format!("{} of {}", usable.len(), source.unwrap_or("this machine"));
        Self { certificates: usable, described }
    }

    /// For the AWS SDK's connector, which takes PEM only.
    pub(super) fn to_context(&self) -> Result<TlsContext> {
        let mut pem = String::new();
        for certificate in &self.certificates {
            let _ = write!(
                pem,
                "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
                BASE64_STANDARD.encode(certificate)
            );
        }
        let store = TrustStore::empty().with_pem_certificate(pem);
        Ok(TlsContext::builder().with_trust_store(store).build()?)
    }

    /// For a connector of our own.
    pub(super) fn store(&self) -> RootCertStore {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(self.certificates.iter().cloned());
        store
    }
}

impl fmt::Display for Authorities {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Certificate authorities: {}", self.described)
    }
}

/// The certificates of a PEM file. One that is too odd to be used is left out, as bundles of whole systems hold such.
fn bundle(path: &str) -> Result<Vec<CertificateDer<'static>>> {
    let pem = std::fs::read(path).context("it cannot be read")?;
    certificates(&pem)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().context("it is not PEM")?;
    if certificates.is_empty() {
        bail!("it holds no certificate in PEM form");
    }
    let usable = usable(certificates);
    if usable.is_empty() {
        bail!("it holds something else than a certificate");
    }
    Ok(usable)
}

fn usable(certificates: Vec<CertificateDer<'static>>) -> Vec<CertificateDer<'static>> {
    let mut store = RootCertStore::empty();
    certificates.into_iter().filter(|certificate| store.add(certificate.clone()).is_ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pem(certificate: &[u8]) -> String {
        format!(
            "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            BASE64_STANDARD.encode(certificate)
        )
    }

    #[test]
    fn a_bundle_that_is_none_is_refused_before_it_is_used() {
        for (pem, words) in [
            ("", "no certificate"),
            ("hello", "no certificate"),
            ("-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n", "no certificate"),
            ("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n", "something else"),
            ("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "something else"),
            ("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", "not PEM"),
            ("-----BEGIN CERTIFICATE-----\naGVsbG8=\n", "not PEM"),
            ("\u{feff}-----BEGIN CERTIFICATE-----", "no certificate"),
        ] {
            let error = certificates(pem.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(words), "{pem:?}: {error}");
        }
    }

    #[test]
    fn every_usable_certificate_of_a_file_counts_and_odd_ones_do_no_harm() {
        let [first, second, ..] = TLS_SERVER_ROOT_CERTS else { panic!("there are many") };
        let text =
            format!("# comment\r\n{}\r\n{}{}", pem(first), pem(b"odd"), pem(second)).replace('\n', "\r\n");
        let found = certificates(text.as_bytes()).unwrap();
        assert_eq!(found, [first.clone(), second.clone()]);
        let authorities = Authorities::of(vec![CertificateDer::from(b"odd".to_vec()), first.clone()], None);
        assert_eq!(authorities.certificates, std::slice::from_ref(first));
        assert_eq!(authorities.store().len(), 1);
    }

    #[test]
    fn a_machine_without_authorities_gets_the_embedded_ones_and_it_is_said() {
        let authorities = Authorities::of(Vec::new(), None);
        assert!(authorities.certificates.len() > 100);
        assert_eq!(authorities.store().len(), authorities.certificates.len(), "every one can be used");
        assert!(authorities.to_string().contains("embedded"), "{authorities}");
        assert!(authorities.to_context().is_ok());
    }

    #[test]
    fn an_override_without_certificates_trusts_nobody_else() {
        let authorities = Authorities::of(Vec::new(), Some("SSL_CERT_DIR"));
        assert!(authorities.certificates.is_empty());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let settings = CertificateSettings {
            authorities: Some("/nowhere/ca.pem".to_owned()),
            ..CertificateSettings::default()
        };
        let error = Authorities::load(&settings, &Environment::default()).err().unwrap();
        assert_eq!(error.to_string(), "AGENT_CAINFO: /nowhere/ca.pem");
        let environment = Environment::from_pairs([("AWS_CA_BUNDLE", "/nowhere")]);
        let error = Authorities::load(&CertificateSettings::default(), &environment).err().unwrap();
        assert!(format!("{error:#}").starts_with("AWS_CA_BUNDLE: /nowhere: it cannot be read"), "{error:#}");
    }
}
