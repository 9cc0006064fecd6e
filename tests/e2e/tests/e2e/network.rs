//! The network as companies have it: private authorities, client certificates, proxies with passwords.

use std::fs;
use std::io::Write;
use std::process::Command;
use std::time::{Duration, Instant};

use causeway_harness::proxy::{NamingProxy, Tinyproxy};
use causeway_harness::tls::{Authority, Handshake, Identity};
use causeway_harness::world::{World, binary};

use crate::company::{AZURE, Company, STS};
use crate::{assert_fails, assert_succeeds, failure};

const VERIFY: [(&str, &str); 2] = [("command", "verify"), ("connection", "federated")];
const KEYS: [(&str, &str); 2] = [("command", "assumeRole"), ("awsCredentials", "aws-keys")];
fn through_the_proxy() -> Vec<(String, u16)> {
    [AZURE, STS].map(|name| (format!("CONNECT {name}:443"), 200)).to_vec()
}

#[test]
fn a_private_authority_is_trusted_in_each_of_three_ways() {
    for name in ["AGENT_CAINFO", "AWS_CA_BUNDLE", "SSL_CERT_FILE"] {
        let mut company = Company::new();
        // Bundles hold several, and comments.
        let other = Authority::new("Fabrikam Root");
        let bundle = format!("# Fabrikam\n{}\n# Contoso\n{}", other.pem(), company.authority.pem());
        let file = company.file("bundle.pem", &bundle);
        company.machine(name, &file);
        assert_succeeds(&company.verify());
        assert_eq!(company.azure.handshakes(), [Handshake::Anonymous], "{name}");
        assert_eq!(company.aws.handshakes(), [Handshake::Anonymous], "{name}");
    }
}

#[test]
fn a_server_of_an_unknown_authority_is_refused_at_once_and_the_way_out_is_named() {
    let company = Company::new();
    let begin = Instant::now();
    let job = company.verify();
    assert_fails(
        &job,
        &["no connection to Azure DevOps", "certificate of localhost", "AGENT_CAINFO", "AWS_CA_BUNDLE"],
    );
    assert_eq!(company.azure.handshakes(), [Handshake::Failed], "it is final");

    let job = company.world.step(&KEYS);
    assert_fails(&job, &["certificate of localhost", "not trusted", "AGENT_CAINFO"]);
    assert_eq!(company.aws.handshakes(), [Handshake::Failed], "it is final");
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    assert!(company.world.azure_devops.received().is_empty() && company.world.gateway.calls().is_empty());
}

#[test]
fn a_certificate_that_is_over_or_of_another_name_is_refused() {
    let authority = Authority::new("Contoso Root");
    for (server, word) in [
        (authority.expired_server(&["localhost"]), "expired"),
        (authority.server(&["elsewhere.example"]), "elsewhere.example"),
    ] {
        let company = Company::of(World::new(), Authority::new("unused"), &server, false);
        let file = company.file("ca.pem", authority.pem());
        let mut company = company;
        company.variable("Agent.CAInfo", &file);
        assert_fails(&company.verify(), &["the certificate of localhost cannot be accepted", word]);
    }
}

#[test]
fn certificate_files_that_cannot_be_used_are_named_before_any_call() {
    let garbage = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    for name in ["AGENT_CAINFO", "AWS_CA_BUNDLE", "SSL_CERT_FILE", "AGENT_CLIENTCERT"] {
        for (content, words) in [
            (None, "cannot be read"),
            (Some(""), "holds no certificate"),
            (Some("hello"), "holds no certificate"),
            (Some("-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n"), "not PEM"),
            (Some(garbage), "something else"),
        ] {
            if name == "AGENT_CLIENTCERT" && content == Some(garbage) {
                continue; // It fails where the key is missing.
            }
            let mut company = Company::new();
            let file = company.file("odd.pem", content.unwrap_or_default());
            if content.is_none() {
                fs::remove_file(&file).unwrap();
            }
            company.machine(name, &file);
            assert_fails(&company.verify(), &[name, &file, words]);
            assert!(company.azure.handshakes().is_empty() && company.aws.handshakes().is_empty());
        }
    }
}

#[test]
fn the_agents_client_certificate_is_shown_to_azure_devops_and_never_to_aws() {
    let mut company = Company::with_client_certificates().trusted();
    let certificate = company.authority.client("build agent");
    company.show(&certificate);
    assert_succeeds(&company.verify());
    assert_eq!(company.azure.handshakes(), [Handshake::Certified]);
    assert_eq!(company.aws.handshakes(), [Handshake::Anonymous]);
}

#[test]
fn a_client_certificate_that_is_missing_foreign_or_without_its_key_is_explained() {
    let company = Company::with_client_certificates().trusted();
    assert_fails(&company.verify(), &["localhost wants a client certificate", "--sslclientcert"]);

    let mut company = Company::with_client_certificates().trusted();
    company.show(&Authority::new("Contoso Root").client("build agent"));
    assert_fails(&company.verify(), &["localhost does not accept the agent's client certificate"]);

    let mut company = Company::with_client_certificates().trusted();
    let (one, other) = (company.authority.client("one"), company.authority.client("other"));
    company.show(&Identity { certificate: one.certificate, key: other.key });
    assert_fails(&company.verify(), &["AGENT_CLIENTCERT", "AGENT_CLIENTCERTKEY", "cannot be used together"]);

    let mut company = Company::with_client_certificates().trusted();
    let certificate = company.authority.client("one").certificate;
    company.show(&Identity { key: certificate.clone(), certificate });
    assert_fails(&company.verify(), &["AGENT_CLIENTCERTKEY", "key.pem", "no private key"]);
    assert!(company.azure.handshakes().is_empty(), "before any call");
    assert_succeeds(&company.world.step(&KEYS));
}

#[test]
fn certificates_are_checked_even_if_the_agent_skips_that() {
    let mut company = Company::new();
    company.variable("Agent.SkipCertValidation", "True");
    let job = company.verify();
    assert_fails(&job, &["certificate of localhost"]);
    let [warning] = &job.first().warnings()[..] else { panic!("one warning: {}", job.first().log) };
    for word in ["AGENT_SKIPCERTVALIDATION", "checks them all the same", "AGENT_CAINFO"] {
        assert!(warning.contains(word), "{warning}");
    }
    assert!(company.world.azure_devops.received().is_empty());
}

#[test]
fn both_clouds_are_reached_through_a_real_proxy_with_a_password() {
    let mut company = Company::new().trusted().behind_names();
    let names = company.naming_proxy(None);
    let password = "s3cret-of.the_proxy";
    let Some(proxy) = Tinyproxy::start("build", password, names.address()) else { return };
    company.agent_proxy(proxy.address(), "build", password);
    let job = company.verify();
    assert_succeeds(&job);
    assert_eq!(Company::asked(&names), through_the_proxy());
    for name in [AZURE, STS] {
        assert!(proxy.log().contains(name), "{}", proxy.log());
    }
    let mut secrets = company.world.secrets();
    secrets.add("the proxy's password", password);
    secrets.assert_none_in(&job);
}

#[test]
fn a_real_proxy_that_refuses_the_password_is_reported_in_plain_words_at_once() {
    let mut company = Company::new().trusted().behind_names();
    let names = company.naming_proxy(None);
    let Some(proxy) = Tinyproxy::start("build", "right-password", names.address()) else { return };
    company.agent_proxy(proxy.address(), "build", "wrong-password");
    let begin = Instant::now();
    let job = company.verify();
    let shown = format!("the proxy {}", proxy.address());
    assert_fails(
        &job,
        &["no connection to Azure DevOps", &shown, "does not accept the user name and password"],
    );
    let job = company.world.step(&KEYS);
    assert_fails(&job, &["GetCallerIdentity", &shown, "does not accept"]);
    let printed = job.first().stdout();
    assert_eq!(
        printed.matches("wrong-password").count(),
        printed.matches("[task.setsecret]wrong-password").count()
    );
    assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
    assert!(Company::asked(&names).is_empty());

    let mut company = Company::new().trusted().behind_names();
    company.variable("Agent.ProxyUrl", &format!("http://{}", proxy.address()));
    assert_fails(&company.verify(), &[&shown, "wants a user name and password", "--proxyusername"]);
}

#[test]
fn odd_characters_in_user_and_password_arrive_as_they_are() {
    let mut company = Company::new().trusted().behind_names();
    let (user, password) = (r"CONTOSO\büro 7", "p@ss:w/o?r#d%40 [✓]&=+;");
    let proxy = company.naming_proxy(Some(&format!("{user}:{password}")));
    company.agent_proxy(proxy.address(), user, password);
    let job = company.verify();
    assert_succeeds(&job);
    assert_eq!(Company::asked(&proxy), through_the_proxy());
    assert!(!job.log().contains(password), "{}", job.log());
}

#[test]
fn the_environments_proxy_serves_where_the_agent_has_none() {
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let mut company = Company::new().trusted().behind_names();
        let proxy = company.naming_proxy(Some("build:p@ss-word"));
        company.machine(name, &format!("http://build:p%40ss-word@{}", proxy.address()));
        let job = company.verify();
        assert_succeeds(&job);
        assert_eq!(Company::asked(&proxy), through_the_proxy(), "{name}");
        let mut secrets = company.world.secrets();
        secrets.add("the proxy's password", "p@ss-word");
        secrets.assert_none_in(&job);
    }
}

#[test]
fn no_proxy_and_the_agents_bypass_list_are_followed() {
    for name in ["NO_PROXY", "no_proxy"] {
        let mut company = Company::new().trusted().behind_names();
        let proxy = company.naming_proxy(None);
        company.machine("HTTPS_PROXY", &format!("http://{}", proxy.address()));
        company.machine(name, "*.azure.test");
        company.variable("Causeway.IdentityDeadlineSeconds", "2");
        assert_fails(&company.verify(), &[AZURE]);
        assert!(
            Company::asked(&proxy).is_empty(),
            "{name}: only the proxy knows the name, and it is not asked"
        );
    }
    let mut company = Company::new().trusted().behind_names();
    let proxy = company.naming_proxy(Some("build:hunter22"));
    company.agent_proxy(proxy.address(), "build", "hunter22");
    company.variable("Agent.ProxyBypassList", r#"["^HTTPS://sts\\.[^/]+\\.test/"]"#);
    company.variable("Causeway.IdentityDeadlineSeconds", "2");
    assert_fails(&company.verify(), &[STS]);
    assert_eq!(Company::asked(&proxy), through_the_proxy()[..1], "Azure DevOps through it, AWS past it");
}

#[test]
fn this_machine_is_never_reached_through_a_proxy() {
    for pairs in [[("AGENT_PROXYURL", "http://127.0.0.1:1")], [("HTTP_PROXY", "http://127.0.0.1:1")]] {
        let mut world = World::new();
        world.agent.machine.extend(pairs.map(|(name, value)| (name.into(), value.into())));
        assert_succeeds(&world.step(&VERIFY));
    }
}

#[test]
fn a_proxy_that_is_not_there_or_does_not_know_the_way_is_named() {
    let mut company = Company::new().trusted().behind_names();
    company.variable("Agent.ProxyUrl", "http://127.0.0.1:1");
    company.variable("Causeway.IdentityDeadlineSeconds", "2");
    assert_fails(&company.verify(), &["the proxy 127.0.0.1:1 cannot be reached", "refused", "2 seconds"]);

    let mut company = Company::new().trusted().behind_names();
    let proxy = NamingProxy::start(&[], None);
    company.variable("Agent.ProxyUrl", &format!("http://{}", proxy.address()));
    company.variable("Causeway.IdentityDeadlineSeconds", "2");
    let shown = format!("the proxy {} opens no connection to {AZURE} (HTTP 502)", proxy.address());
    assert_fails(&company.verify(), &[&shown, "2 seconds"]);
}

#[test]
fn a_407_to_plain_http_is_the_proxys_and_not_of_aws() {
    let mut company = Company::new();
    let proxy = company.naming_proxy(Some("build:right-password"));
    company.machine("AWS_ENDPOINT_URL", &format!("http://{STS}"));
    company.machine("HTTP_PROXY", &format!("http://build:wrong-password@{}", proxy.address()));
    let job = company.world.step(&KEYS);
    let message = failure(&job);
    assert!(message.contains("does not accept the user name and password"), "{message}");
    assert!(!job.log().contains("wrong-password"), "{}", job.log());
    assert_eq!(Company::asked(&proxy).len(), 1, "it is final");
}

#[test]
fn a_client_certificate_goes_through_the_proxy_too() {
    let mut company = Company::with_client_certificates().trusted().behind_names();
    let certificate = company.authority.client("build agent");
    company.show(&certificate);
    let proxy = company.naming_proxy(Some("build:p@ss-word"));
    company.agent_proxy(proxy.address(), "build", "p@ss-word");
    assert_succeeds(&company.verify());
    assert_eq!(Company::asked(&proxy), through_the_proxy());
    assert_eq!(company.azure.handshakes(), [Handshake::Certified]);

    let mut company = Company::with_client_certificates().trusted().behind_names();
    company.show(&certificate);
    company.agent_proxy(proxy.address(), "build", "another");
    assert_fails(&company.verify(), &["does not accept the user name and password", "407"]);
}

#[test]
fn a_proxys_address_that_cannot_be_used_is_refused_without_its_password() {
    for (name, value) in [
        ("HTTPS_PROXY", "socks5://build:hunter22@proxy.example:1080"),
        ("https_proxy", "http://build:hunter22@pro xy"),
        ("AGENT_PROXYURL", "http://build:hunter22@"),
    ] {
        let mut world = World::new();
        world.agent.machine.push((name.into(), value.into()));
        let job = world.step(&VERIFY);
        let message = failure(&job);
        assert!(
            message.contains(&name.to_uppercase()) && !job.first().stdout().contains("hunter22"),
            "{message}"
        );
        assert!(world.azure_devops.received().is_empty() && world.gateway.calls().is_empty());
    }
}

/// The binary by itself in an image without any authority, which a namespace with an empty `/etc/ssl` stands for.
fn without_authorities(company: &Company, agents: Option<&str>) -> Option<String> {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c"]);
    command.arg("mount -t tmpfs none /etc/ssl && echo mounted && exec \"$0\" task").arg(binary());
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("SYSTEM_DEBUG", "true");
    command.env("AWS_ENDPOINT_URL", company.aws.url());
    command
        .env("INPUT_COMMAND", "assumeRole")
        .env("INPUT_IDENTITY", "variables")
        .env("INPUT_REGIONNAME", "eu-west-1");
    command.env("AWS_ACCESSKEYID", &company.world.user_key.id);
    command.env("SECRET_AWS_SECRETACCESSKEY", &company.world.user_key.secret);
    command.envs(agents.map(|path| ("AGENT_CAINFO", path)));
    let output = command.output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.contains("mounted").then_some(text)
}

#[test]
fn an_image_without_authorities_gets_the_embedded_ones() {
    let company = Company::new();
    let file = company.file("ca.pem", company.authority.pem());
    let (Some(alone), Some(with_agents)) =
        (without_authorities(&company, None), without_authorities(&company, Some(&file)))
    else {
        let _ = writeln!(std::io::stderr(), "NOT TESTED: this machine allows no mount namespace (unshare)");
        return;
    };
    assert!(alone.contains("embedded ones, as this machine has none"), "{alone}");
    assert!(alone.contains("certificate of localhost") && alone.contains("not trusted"), "{alone}");
    assert!(with_agents.contains("as this machine has none, 1 of AGENT_CAINFO"), "{with_agents}");
    assert!(with_agents.contains(":user/ci") && !with_agents.contains("type=error"), "{with_agents}");
}
