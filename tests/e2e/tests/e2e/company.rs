//! A company's network: https with a private authority, and names that only its proxy knows.

use std::fs;
use std::net::SocketAddr;

use causeway_harness::agent::{JobResult, Variable};
use causeway_harness::proxy::NamingProxy;
use causeway_harness::tls::{Authority, Identity, TlsFront};
use causeway_harness::world::World;
use tempfile::TempDir;

/// Names that only [`NamingProxy`] knows.
pub(crate) const AZURE: &str = "dev.azure.test";
pub(crate) const STS: &str = "sts.eu-west-1.test";

/// A world behind https with certificates of an authority that no machine trusts.
pub(crate) struct Company {
    pub(crate) world: World,
    pub(crate) authority: Authority,
    pub(crate) azure: TlsFront,
    pub(crate) aws: TlsFront,
    files: TempDir,
}

impl Company {
    pub(crate) fn new() -> Self {
        let authority = Authority::new("Contoso Root");
        let server = authority.server(&["localhost", AZURE, STS]);
        Self::of(World::new(), authority, &server, false)
    }

    /// Azure DevOps lets in only who shows a certificate of the authority.
    pub(crate) fn with_client_certificates() -> Self {
        let authority = Authority::new("Contoso Root");
        let server = authority.server(&["localhost", AZURE, STS]);
        Self::of(World::new(), authority, &server, true)
    }

    pub(crate) fn of(world: World, authority: Authority, server: &Identity, certified: bool) -> Self {
        let (azure, aws) = (world.azure_devops.url(), world.gateway.url());
        Self::before(world, [&azure, &aws], authority, server, certified)
    }

    /// With Azure DevOps and AWS at these addresses.
    pub(crate) fn before(
        mut world: World,
        [azure, aws]: [&str; 2],
        authority: Authority,
        server: &Identity,
        certified: bool,
    ) -> Self {
        let azure = TlsFront::start(azure, server, certified.then_some(&authority));
        let aws = TlsFront::start(aws, server, None);
        world.azure_devops.reach_at(&azure.url());
        world.agent.machine.push(("AWS_ENDPOINT_URL".into(), aws.url()));
        Self { world, authority, azure, aws, files: TempDir::new().unwrap() }
    }

    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.files.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// The world, and what must live as long as it.
    pub(crate) fn into_parts(self) -> (World, Box<dyn std::any::Any>) {
        (self.world, Box::new((self.azure, self.aws, self.files)))
    }

    pub(crate) fn variable(&mut self, name: &str, value: &str) {
        self.world.variables.push(Variable::public(name, value));
    }

    pub(crate) fn machine(&mut self, name: &str, value: &str) {
        self.world.agent.machine.push((name.into(), value.into()));
    }

    pub(crate) fn trusted(mut self) -> Self {
        let file = self.file("ca.pem", self.authority.pem());
        self.variable("Agent.CAInfo", &file);
        self
    }

    pub(crate) fn show(&mut self, certificate: &Identity) {
        let (chain, key) =
            (self.file("client.pem", &certificate.certificate), self.file("key.pem", &certificate.key));
        self.variable("Agent.ClientCert", &chain);
        self.variable("Agent.ClientCertKey", &key);
    }

    /// Both servers are reached by names that this machine does not know.
    pub(crate) fn behind_names(mut self) -> Self {
        self.world.azure_devops.reach_at(&format!("https://{AZURE}"));
        self.machine("AWS_ENDPOINT_URL", &format!("https://{STS}"));
        self
    }

    pub(crate) fn naming_proxy(&self, credentials: Option<&str>) -> NamingProxy {
        NamingProxy::start(&[(AZURE, self.azure.address()), (STS, self.aws.address())], credentials)
    }

    pub(crate) fn agent_proxy(&mut self, address: SocketAddr, user: &str, password: &str) {
        self.variable("Agent.ProxyUrl", &format!("http://{address}"));
        self.variable("Agent.ProxyUserName", user);
        self.world.variables.push(Variable::secret("Agent.ProxyPassword", password));
    }

    pub(crate) fn verify(&self) -> JobResult {
        self.world.step(&[("command", "verify"), ("connection", "federated")])
    }

    /// Every line that the proxy was asked, with its status.
    pub(crate) fn asked(proxy: &NamingProxy) -> Vec<(String, u16)> {
        proxy.requests().into_iter().map(|request| (request.line, request.status)).collect()
    }
}
