use std::fmt;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use causeway_agent::CertificateSettings;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connect, HttpConnector as Tcp};
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use secrecy::{ExposeSecret, SecretString};

use super::authorities::Authorities;
use super::proxy::ProxyAddress;
use super::{CONNECT_TIMEOUT, READ_TIMEOUT};

/// TLS with the agent's client certificate, if it has one. AWS is never shown it.
///
/// # Errors
/// When a file cannot be used, or certificate and key do not belong together; the message names it.
pub(super) fn tls(settings: &CertificateSettings, authorities: &Authorities) -> Result<Option<Tls>> {
    ClientCertificate::read(settings)?.map(|certificate| certificate.tls(&authorities.store())).transpose()
}

/// A connector that only says why there is none.
pub(super) fn unusable(error: &anyhow::Error) -> SharedHttpConnector {
    SharedHttpConnector::new(Unusable(format!("{error:#}")))
}

#[derive(Debug)]
struct Unusable(String);

impl HttpConnector for Unusable {
    fn call(&self, _: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Err(ConnectorError::user(self.0.clone().into())))
    }
}

/// The certificate that the agent shows to Azure DevOps.
struct ClientCertificate {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl ClientCertificate {
    /// A key may be encrypted as PKCS #8 with the agent's password.
    fn read(settings: &CertificateSettings) -> Result<Option<Self>> {
        let Some(path) = &settings.client_certificate else { return Ok(None) };
        let chain = chain(path).with_context(|| format!("AGENT_CLIENTCERT: {path}"))?;
        let (name, path) = match &settings.client_key {
            Some(path) => ("AGENT_CLIENTCERTKEY", path),
            None => ("AGENT_CLIENTCERT (there is no AGENT_CLIENTCERTKEY)", path),
        };
        let key =
            key(path, settings.client_key_password.as_ref()).with_context(|| format!("{name}: {path}"))?;
        Ok(Some(Self { chain, key }))
    }

    fn tls(self, authorities: &RootCertStore) -> Result<Tls> {
        let begin = || {
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let builder =
                ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
            Ok::<_, rustls::Error>(builder.with_root_certificates(authorities.clone()))
        };
        let with_certificate = begin()?.with_client_auth_cert(self.chain, self.key).context(
            "the agent's client certificate (AGENT_CLIENTCERT) and key (AGENT_CLIENTCERTKEY) cannot be used together",
        )?;
        Ok(Tls { with_certificate, without: begin()?.with_no_client_auth() })
    }
}

fn chain(path: &str) -> Result<Vec<CertificateDer<'static>>> {
    let pem = std::fs::read(path).context("it cannot be read")?;
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(&pem).collect::<Result<_, _>>().context("it is not PEM")?;
    if chain.is_empty() {
        bail!("it holds no certificate in PEM form");
    }
    Ok(chain)
}

fn key(path: &str, password: Option<&SecretString>) -> Result<PrivateKeyDer<'static>> {
    read_key(&std::fs::read_to_string(path).context("it cannot be read")?, password)
}

fn read_key(pem: &str, password: Option<&SecretString>) -> Result<PrivateKeyDer<'static>> {
    if pem.contains("Proc-Type: 4,ENCRYPTED") {
        bail!(
            "the key is encrypted in OpenSSL's old form, which is not supported: convert it with \"openssl pkcs8 -topk8 -in KEY -out NEW\""
        );
    }
    if pem.contains("BEGIN ENCRYPTED PRIVATE KEY") {
        return decrypted(pem, password);
    }
    PrivateKeyDer::from_pem_slice(pem.as_bytes()).context("it holds no private key in PEM form")
}

fn decrypted(pem: &str, password: Option<&SecretString>) -> Result<PrivateKeyDer<'static>> {
    let password = password
        .context("the key is encrypted, and the agent has no password for it (--sslclientcertpassword)")?;
    let begin = pem.find("-----BEGIN ENCRYPTED").unwrap_or_default();
    let (_, document) = pkcs8::Document::from_pem(pem[begin..].trim_end()).context("it is not PEM")?;
    let key = pkcs8::EncryptedPrivateKeyInfoRef::try_from(document.as_bytes())
        .map_err(|_| anyhow::anyhow!("the key is encrypted in a way that is not supported here; PKCS #8 with AES is: \"openssl pkcs8 -topk8 -v2 aes-256-cbc -in KEY -out NEW\""))?
        .decrypt(password.expose_secret())
        .map_err(|_| anyhow::anyhow!("the key cannot be decrypted: the agent's password (--sslclientcertpassword) is not that of the key"))?;
    Ok(PrivateKeyDer::Pkcs8(key.as_bytes().to_vec().into()))
}

/// TLS towards Azure DevOps, and towards an https proxy on the way, which is not shown the certificate.
pub(super) struct Tls {
    with_certificate: ClientConfig,
    without: ClientConfig,
}

/// A connector that shows the certificate, through `proxy` or directly.
pub(super) fn connector(tls: &Tls, proxy: Option<&ProxyAddress>) -> SharedHttpConnector {
    let mut tcp = Tcp::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    let Some(proxy) = proxy else { return shared(https(&tls.with_certificate, tcp)) };
    let tunnel = Tunnel::new(proxy.intercept().uri().clone(), https(&tls.without, tcp));
    let tunnel = match proxy.intercept().basic_auth() {
        Some(credentials) => tunnel.with_auth(credentials.clone()),
        None => tunnel,
    };
    shared(https(&tls.with_certificate, tunnel))
}

fn https<C>(tls: &ClientConfig, inner: C) -> HttpsConnector<C> {
    HttpsConnectorBuilder::new()
        .with_tls_config(tls.clone())
        .https_or_http()
        .enable_http1()
        .wrap_connector(inner)
}

fn shared<C>(connector: C) -> SharedHttpConnector
where
    C: Connect + Clone + Send + Sync + 'static,
{
    SharedHttpConnector::new(WithCertificate(Client::builder(TokioExecutor::new()).build(connector)))
}

/// The AWS SDK's connector shows no client certificates, so this one stands beside it, made of the same parts.
struct WithCertificate<C>(Client<C, SdkBody>);

impl<C> HttpConnector for WithCertificate<C>
where
    C: Connect + Clone + Send + Sync + 'static,
{
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
            let answer = tokio::time::timeout(READ_TIMEOUT, client.request(request)).await;
            let answer = answer.map_err(|error| ConnectorError::timeout(error.into()))?;
            let answer = answer.map_err(|error| ConnectorError::io(error.into()))?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

impl<C> fmt::Debug for WithCertificate<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WithCertificate")
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_keys::{AES, CERTIFICATE, LEGACY, PKCS8, SCRYPT, SEC1, TRIPLE_DES};
    use super::*;

    fn with(key: &str, password: Option<&str>) -> Result<Tls, String> {
        let password = password.map(SecretString::from);
        let key = read_key(key, password.as_ref()).map_err(|error| format!("{error:#}"))?;
        let chain = vec![CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).unwrap()];
        let mut authorities = RootCertStore::empty();
        authorities.add(chain[0].clone()).unwrap();
        ClientCertificate { chain, key }.tls(&authorities).map_err(|error| format!("{error:#}"))
    }

    #[test]
    fn keys_are_read_in_the_forms_that_people_have() {
        for key in [PKCS8, SEC1] {
            assert!(with(key, None).is_ok() && with(key, Some("not needed")).is_ok());
        }
        for key in [AES, SCRYPT] {
            assert!(with(key, Some("hunter22")).is_ok(), "{:?}", with(key, Some("hunter22")).err());
        }
        assert!(
            with(&format!("Bag Attributes\n{}\r\n\r\n", AES.replace('\n', "\r\n")), Some("hunter22")).is_ok()
        );
    }

    #[test]
    fn a_key_that_cannot_be_read_says_why() {
        for (key, password, words) in [
            (AES, None, "no password"),
            (AES, Some("wrong"), "cannot be decrypted"),
            (TRIPLE_DES, Some("hunter22"), "PKCS #8 with AES"),
            (LEGACY, Some("hunter22"), "openssl pkcs8 -topk8"),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\naGVsbG8=\n-----END ENCRYPTED PRIVATE KEY-----",
                Some("x"),
                "not PEM",
            ),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----", Some("x"), "PEM"),
            ("", None, "no private key"),
            (CERTIFICATE, None, "no private key"),
        ] {
            let error = with(key, password).err().unwrap();
            assert!(error.contains(words) && !error.contains("hunter22"), "{error}");
        }
    }
}
