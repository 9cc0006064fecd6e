//! ECR's registries, played by docker-registry under their own names.
//!
//! A step reaches them as it reaches ECR: `<account>.dkr.ecr.<region>.amazonaws.com` over TLS, because a proxy
//! ([`NamingProxy`]) knows where that is and a private authority vouches for it. The password is the one that moto hands out.
//!
//! ECR is stricter than docker-registry: it makes no repository by itself and may refuse to move a tag. Where that matters a
//! test lets the [`Front`] answer in ECR's words.

mod front;
pub mod image;
mod server;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub use front::{Front, Seen, Trouble};
use server::Server;
use tempfile::TempDir;

use crate::proxy::NamingProxy;
use crate::tls::{Authority, TlsFront};
use crate::world::{REGION, World};

/// A docker-registry that plays the registries of one account in every region that a test names.
#[derive(Debug)]
pub struct Registry {
    /// What stands between the task and the registry: it sees every request and can answer in its place.
    pub front: Front,
    account: String,
    folder: TempDir,
    proxy: NamingProxy,
    direct: NamingProxy,
    tls: TlsFront,
    server: Server,
}

/// Hosts beside `<account>.dkr.ecr.<region>.amazonaws.com`.
const OTHERS: [&str; 2] = ["public.ecr.aws", "210987654321.dkr.ecr.us-east-1.amazonaws.com"];

impl Registry {
    /// Starts it for a world's account, and gives the world's machine the way there: proxy and certificate.
    ///
    /// # Panics
    /// When docker-registry is not installed or does not start.
    #[must_use]
    pub fn of(world: &mut World) -> Self {
        let registry = Self::start(&world.account);
        world.agent.machine.extend(registry.environment());
        registry
    }

    /// Starts it for an account whose password is moto's.
    ///
    /// # Panics
    /// When docker-registry is not installed or does not start.
    #[must_use]
    pub fn start(account: &str) -> Self {
        let folder = TempDir::with_prefix("causeway-registry-").expect("a folder for the registry");
        let authority = Authority::new("Registry Test Authority");
        std::fs::write(folder.path().join("ca.pem"), authority.pem()).expect("the authority's file");
        let mut names: Vec<String> = OTHERS.map(str::to_owned).to_vec();
        names.push(host_of(account));
        let texts: Vec<&str> = names.iter().map(String::as_str).collect();
        let identity = authority.server(&[&texts[..], &["localhost"]].concat());
        let server = Server::start(folder.path(), &identity, &password_of(account));
        let front = Front::start(server.address(), authority.pem());
        let tls = TlsFront::start(&front.url(), &identity, None);
        let named = |address: SocketAddr| texts.iter().map(move |name| (*name, address)).collect::<Vec<_>>();
        let proxy = NamingProxy::start(&named(tls.address()), None);
        let direct = NamingProxy::start(&named(server.address()), None);
        Self { front, account: account.to_owned(), folder, proxy, direct, tls, server }
    }

    /// Where the proxy listens that knows the registry's names.
    #[must_use]
    pub fn proxy_url(&self) -> String {
        format!("http://{}", self.proxy.address())
    }

    /// The proxy that knows the registry's names.
    #[must_use]
    pub fn proxy(&self) -> &NamingProxy {
        &self.proxy
    }

    /// Where it listens for TLS, the [`Front`] behind it.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.tls.address()
    }

    /// The password of user `AWS`.
    #[must_use]
    pub fn password(&self) -> String {
        password_of(&self.account)
    }

    /// What ECR's API answers for it: the base64 of user and password.
    #[must_use]
    pub fn token(&self) -> String {
        base64(&format!("AWS:{}", self.password()))
    }

    /// The host of the account's registry in [`REGION`].
    #[must_use]
    pub fn host(&self) -> String {
        host_of(&self.account)
    }

    /// What a machine needs to reach it, through the [`Front`].
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        self.environment_by(&self.proxy)
    }

    /// The same past the [`Front`], for measurements: TLS is docker-registry's own.
    #[must_use]
    pub fn direct_environment(&self) -> Vec<(String, String)> {
        self.environment_by(&self.direct)
    }

    fn environment_by(&self, proxy: &NamingProxy) -> Vec<(String, String)> {
        let authority = self.folder.path().join("ca.pem").display().to_string();
        [
            ("HTTPS_PROXY", format!("http://{}", proxy.address())),
            ("NO_PROXY", "127.0.0.1,localhost".to_owned()),
            ("AWS_CA_BUNDLE", authority),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// The file of the private authority.
    #[must_use]
    pub fn authority_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Runs skopeo with a login of its own, past the front.
    ///
    /// # Panics
    /// When skopeo is not installed.
    #[must_use]
    pub fn skopeo(&self, arguments: &[&str]) -> Output {
        let login = self.folder.path().join("skopeo.json");
        let basic = base64(&format!("AWS:{}", password_of(&self.account)));
        let entries: Vec<String> = OTHERS
            .iter()
            .map(|host| (*host).to_owned())
            .chain([self.host()])
            .map(|host| format!("\"{host}\":{{\"auth\":\"{basic}\"}}"))
            .collect();
        std::fs::write(&login, format!("{{\"auths\":{{{}}}}}", entries.join(","))).expect("skopeo's login");
        let mut command = Command::new("skopeo");
        command.args(["--insecure-policy", "--tmpdir"]).arg(self.folder.path()).args(arguments);
        // Go's programs find the authority by another name.
        command.env("SSL_CERT_FILE", self.authority_file());
        command.envs(self.direct_environment()).env("REGISTRY_AUTH_FILE", login);
        command.output().expect("skopeo: install it with scripts/setup")
    }

    /// The digest that skopeo sees behind a tag, once it has fetched all of the image and checked it; `None` when it cannot.
    #[must_use]
    pub fn fetched(&self, image: &str) -> Option<String> {
        let folder = TempDir::new_in(self.folder.path()).expect("a folder for the copy");
        let source = format!("docker://{}/{image}", self.host());
        let digest = folder.path().join("digest");
        let target = format!("oci:{}:copy", folder.path().join("copy").display());
        let file = digest.display().to_string();
        let copy =
            self.skopeo(&["copy", "--all", "--preserve-digests", "--digestfile", &file, &source, &target]);
        copy.status.success().then(|| std::fs::read_to_string(digest).expect("a digest").trim().to_owned())
    }

    /// The manifest behind a tag or digest, byte for byte, and its digest; `None` when there is none.
    #[must_use]
    pub fn manifest(&self, image: &str) -> Option<Vec<u8>> {
        let raw = self.skopeo(&["inspect", "--raw", &format!("docker://{}/{image}", self.host())]);
        raw.status.success().then_some(raw.stdout)
    }

    /// The files of the registry.
    #[must_use]
    pub fn storage(&self) -> &Path {
        self.server.storage()
    }
}

fn host_of(account: &str) -> String {
    format!("{account}.dkr.ecr.{REGION}.amazonaws.com")
}

/// What moto hands out.
fn password_of(account: &str) -> String {
    format!("{account}-auth-token")
}

fn base64(text: &str) -> String {
    base64::Engine::encode(&base64::prelude::BASE64_STANDARD, text)
}
