//! From strings to checked values: every connection in every of its accounts with every of its roles.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;

use causeway_identity::ManagedPolicyArn;
use causeway_types::{Partition, Region, RoleArn};
use url::Url;
use uuid::Uuid;

use super::error::FileError;
use super::permission::{Permission, Scope, build};
use super::raw::{RawAccount, RawConnection, RawFile, RawRole};
use super::{Account, Connection, ConnectionKind, Role, Setup, Tenant, tag_value};
use crate::{MANAGED_BY, SETUP_TAG};

pub(super) fn expand(raw: RawFile, folder: &Path) -> Result<Setup, FileError> {
    let organization = organization(&raw.organization)?;
    let project = plain("project", &raw.project)?;
    let id = match &raw.name {
        Some(name) => plain("name", name)?,
        None => format!("{organization}/{project}"),
    };
    let accounts: Result<BTreeMap<String, Account>, FileError> =
        raw.accounts.iter().map(|(alias, raw)| Ok((alias.clone(), account(alias, raw)?))).collect();
    let accounts = accounts?;
    refuse_twice(&accounts)?;
    let region = raw.region.as_deref().map(|text| parse("region", text)).transpose()?;
    let mut setup = Setup {
        id: tag_value(&id),
        organization,
        project,
        tenant: tenant(raw.tenant.as_deref())?,
        accounts,
        connections: Vec::new(),
        roles: Vec::new(),
    };
    if raw.connections.is_empty() {
        return Err(FileError::at("connections", "name at least one connection"));
    }
    let mut expansion = Expansion {
        setup: &mut setup,
        region: region.as_ref(),
        roles: &raw.roles,
        folder,
        connection_names: Names::new(),
        role_names: Names::new(),
    };
    for (pattern, connection) in &raw.connections {
        expansion.connection(pattern, connection)?;
    }
    let used = |key: &String| {
        raw.connections.values().any(|c| c.role.iter().chain(&c.roles).any(|role| role == key))
    };
    if let Some(unused) = raw.roles.keys().find(|key| !used(key)) {
        return Err(FileError::at(format!("roles.{unused}"), "no connection has this role"));
    }
    Ok(setup)
}

/// Each account stands in a file once: by two names, each would take the other's roles for leftovers.
fn refuse_twice(accounts: &BTreeMap<String, Account>) -> Result<(), FileError> {
    for (alias, account) in accounts {
        let same = |(other, found): &(&String, &Account)| *other < alias && found.id == account.id;
        if let Some((other, _)) = accounts.iter().find(same) {
            let problem = format!("account {} is there as {other} already: name it once", account.id);
            return Err(FileError::at(format!("accounts.{alias}.id"), problem));
        }
    }
    Ok(())
}

/// A name in lower case, and which key of the file gave it in which form.
type Names = BTreeMap<String, (String, String)>;

/// Takes a name for a key; another key, or another case of the name, cannot have it too: neither Azure DevOps nor IAM tells them
/// apart.
fn take(names: &mut Names, key: &str, name: &str, place: &str) -> Result<(), FileError> {
    let mine = (key.to_owned(), name.to_owned());
    let (by, taken) = names.entry(name.to_lowercase()).or_insert_with(|| mine.clone());
    if (&*by, &*taken) == (&mine.0, &mine.1) {
        return Ok(());
    }
    let problem = format!("it gives the name {name}, and {by} gives {taken}: each needs a name of its own");
    Err(FileError::at(place, problem))
}

struct Expansion<'a> {
    setup: &'a mut Setup,
    region: Option<&'a Region>,
    roles: &'a BTreeMap<String, RawRole>,
    folder: &'a Path,
    connection_names: Names,
    /// With the account before each.
    role_names: Names,
}

impl Expansion<'_> {
    fn connection(&mut self, pattern: &str, raw: &RawConnection) -> Result<(), FileError> {
        let place = format!("connections.{pattern}");
        let accounts = one_or_several(&place, "account", raw.account.as_ref(), &raw.accounts)?;
        let roles = one_or_several(&place, "role", raw.role.as_ref(), &raw.roles)?;
        for alias in &accounts {
            let account = self.setup.accounts.get(alias.as_str()).cloned().ok_or_else(|| {
                FileError::at(&place, format!("there is no account \"{alias}\" under accounts"))
            })?;
            let name = plain(&place, &fill(pattern, &account))?;
            if name.contains('/') {
                return Err(FileError::at(&place, "a connection's name here holds no slash"));
            }
            take(&mut self.connection_names, pattern, &name, &place)?;
            for key in &roles {
                let region = raw.region.as_deref().map(|text| parse(&format!("{place}.region"), text));
                let region = region.transpose()?.or_else(|| self.region.cloned());
                let arn = self.role(key, &account, &name, region.as_ref())?;
                if self.setup.connection(&name).is_none() {
                    self.setup.connections.push(connection(&place, &name, raw, arn, region)?);
                }
            }
        }
        Ok(())
    }

    /// Makes the role known, or adds the connection to it.
    fn role(
        &mut self,
        key: &str,
        account: &Account,
        connection: &str,
        region: Option<&Region>,
    ) -> Result<RoleArn, FileError> {
        let place = format!("roles.{key}");
        let raw = self.roles.get(key).ok_or_else(|| {
            FileError::at(
                format!("connections.{connection}"),
                format!("there is no role \"{key}\" under roles"),
            )
        })?;
        let mut role = role(&place, key, raw, account)?;
        let name = format!("{}/{}", account.alias, role.arn.name());
        take(&mut self.role_names, key, &name, &place)?;
        let known = self.setup.roles.iter_mut().find(|known| known.arn == role.arn);
        if let Some(known) = known {
            if !known.connections.iter().any(|name| name == connection) {
                known.connections.push(connection.to_owned());
                known.connections.sort();
            }
            return Ok(role.arn);
        }
        let scope = Scope {
            partition: &account.partition,
            account: account.id.as_str(),
            region: region.map_or("*", Region::as_str),
            folder: self.folder,
            place: format!("{place}.permissions"),
        };
        for raw in &raw.permissions {
            let raw = raw.clone().map(|text| fill(text, account));
            add(&mut role, build(&raw, &scope)?);
        }
        if !raw.existing {
            role.tags.insert(MANAGED_BY.0.to_owned(), MANAGED_BY.1.to_owned());
            role.tags.insert(SETUP_TAG.to_owned(), self.setup.id.clone());
        }
        role.connections.push(connection.to_owned());
        let arn = role.arn.clone();
        self.setup.roles.push(role);
        Ok(arn)
    }
}

fn add(role: &mut Role, permission: Permission) {
    match permission {
        Permission::Managed(arn) if role.managed_policies.contains(&arn) => {}
        Permission::Managed(arn) => role.managed_policies.push(arn),
        Permission::Inline(word, document) => {
            let name = format!("causeway-{word}");
            let taken = |name: &String| role.policies.contains_key(name);
            let numbered = (2..).map(|number| format!("{name}-{number}"));
            let free = std::iter::once(name.clone()).chain(numbered).find(|name| !taken(name));
            role.policies.insert(free.unwrap_or(name), document);
        }
    }
}

fn role(place: &str, key: &str, raw: &RawRole, account: &Account) -> Result<Role, FileError> {
    let name = fill(raw.name.as_deref().unwrap_or(key), account);
    let path = match raw.path.as_deref().map(|path| fill(path, account)) {
        Some(path) => format!("/{}/", path.trim_matches('/')).replace("//", "/"),
        None => "/".to_owned(),
    };
    let arn = account.role_arn(&path, &name).map_err(|error| FileError::at(place, error))?;
    let touched = !raw.permissions.is_empty()
        || raw.permissions_boundary.is_some()
        || raw.max_session_seconds.is_some()
        || raw.description.is_some()
        || !raw.tags.is_empty();
    if raw.existing && touched {
        let problem = "an existing role gains statements in its trust policy and nothing else: leave out \
                       permissions, permissionsBoundary, maxSessionSeconds, description and tags";
        return Err(FileError::at(place, problem));
    }
    let seconds = raw.max_session_seconds.unwrap_or(3600);
    if !(3600..=43200).contains(&seconds) {
        let problem = format!("maxSessionSeconds is {seconds}: IAM takes 3600 to 43200");
        return Err(FileError::at(place, problem));
    }
    if let Some(reserved) =
        raw.tags.keys().find(|key| key.starts_with("causeway:") || key.starts_with("aws:"))
    {
        return Err(FileError::at(place, format!("the tag {reserved} is not yours to set")));
    }
    let fallback = || "Azure Pipelines, by causeway setup".to_owned();
    Ok(Role {
        account: account.alias.clone(),
        arn,
        path,
        existing: raw.existing,
        description: raw.description.as_deref().map_or_else(fallback, |text| fill(text, account)),
        policies: BTreeMap::new(),
        managed_policies: Vec::new(),
        boundary: raw.permissions_boundary.as_deref().map(|arn| boundary(place, arn, account)).transpose()?,
        max_session_seconds: seconds,
        tags: raw.tags.iter().map(|(key, value)| (key.clone(), fill(value, account))).collect(),
        connections: Vec::new(),
    })
}

/// A boundary is a managed policy.
fn boundary(place: &str, arn: &str, account: &Account) -> Result<String, FileError> {
    let arn: ManagedPolicyArn = parse(&format!("{place}.permissionsBoundary"), &fill(arn, account))?;
    Ok(arn.as_str().to_owned())
}

fn connection(
    place: &str,
    name: &str,
    raw: &RawConnection,
    role: RoleArn,
    region: Option<Region>,
) -> Result<Connection, FileError> {
    let kind = match raw.kind.as_deref() {
        None | Some("Causeway") => ConnectionKind::Causeway,
        Some("AWS") => ConnectionKind::Aws,
        Some(other) => {
            return Err(FileError::at(place, format!("type \"{other}\" is neither Causeway nor AWS")));
        }
    };
    let all_pipelines = match raw.pipelines.as_deref() {
        None | Some("ask") => false,
        Some("all") => true,
        Some(other) => {
            return Err(FileError::at(place, format!("pipelines \"{other}\" is neither ask nor all")));
        }
    };
    let session_name =
        raw.session_name.as_deref().map(|text| parse(&format!("{place}.sessionName"), text)).transpose()?;
    Ok(Connection {
        name: name.to_owned(),
        kind,
        role,
        // The toolkit's type has no field for it.
        region: region.filter(|_| kind == ConnectionKind::Causeway),
        session_name,
        convert: raw.convert,
        all_pipelines,
    })
}

fn account(alias: &str, raw: &RawAccount) -> Result<Account, FileError> {
    let place = format!("accounts.{alias}");
    let id = parse(&format!("{place}.id"), &raw.id)?;
    let partition = raw.partition.as_deref().unwrap_or("aws");
    let known = Partition::by_id(partition)
        .ok_or_else(|| FileError::at(&place, format!("AWS has no partition \"{partition}\"")))?;
    Ok(Account {
        alias: alias.to_owned(),
        id,
        partition: known.id().to_owned(),
        profile: raw.profile.clone(),
        role: raw.role.as_deref().map(|arn| parse(&format!("{place}.role"), arn)).transpose()?,
        external_id: raw
            .external_id
            .as_deref()
            .map(|text| parse(&format!("{place}.externalId"), text))
            .transpose()?,
    })
}

/// The organization's name, given alone or as its address on dev.azure.com or visualstudio.com: the token that manages it is
/// never sent to a host that the file names.
fn organization(text: &str) -> Result<String, FileError> {
    let wrong = || {
        FileError::at(
            "organization",
            format!(
                "\"{text}\" is neither the name of an organization nor its address on dev.azure.com; Azure DevOps Server cannot make tokens for AWS"
            ),
        )
    };
    let name = match Url::parse(text) {
        Err(_) => text.trim().to_owned(),
        Ok(url) => {
            let host = url.host_str().unwrap_or_default();
            match host.strip_suffix(".visualstudio.com") {
                _ if url.scheme() != "https" => return Err(wrong()),
                Some(name) => name.to_owned(),
                None if host == "dev.azure.com" => {
                    url.path_segments().and_then(|mut parts| parts.next()).unwrap_or_default().to_owned()
                }
                None => return Err(wrong()),
            }
        }
    };
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if name.is_empty() || !name.bytes().all(good) { Err(wrong()) } else { Ok(name) }
}

fn tenant(text: Option<&str>) -> Result<Tenant, FileError> {
    match text {
        None => Ok(Tenant::Detect),
        Some("none") => Ok(Tenant::None),
        Some(id) => Uuid::parse_str(id)
            .map(Tenant::Is)
            .map_err(|_| FileError::at("tenant", format!("\"{id}\" is neither a GUID nor none"))),
    }
}

fn one_or_several(
    place: &str,
    word: &str,
    one: Option<&String>,
    several: &[String],
) -> Result<Vec<String>, FileError> {
    match (one, several) {
        (Some(one), []) => Ok(vec![one.clone()]),
        (None, several) if !several.is_empty() => Ok(several.to_vec()),
        (None, _) => Err(FileError::at(place, format!("give it {word} or {word}s"))),
        (Some(_), _) => Err(FileError::at(place, format!("give it {word} or {word}s, not both"))),
    }
}

fn plain(place: &str, text: &str) -> Result<String, FileError> {
    let text = text.trim();
    if text.is_empty() || text.contains(char::is_control) {
        return Err(FileError::at(place, "it is empty or holds a line break"));
    }
    Ok(text.to_owned())
}

fn parse<T: FromStr<Err: std::fmt::Display>>(place: &str, text: &str) -> Result<T, FileError> {
    text.parse().map_err(|error| FileError::at(place, error))
}

/// `{account}` is the file's name for the account, `{accountId}` its twelve digits.
fn fill(text: &str, account: &Account) -> String {
    text.replace("{account}", &account.alias).replace("{accountId}", account.id.as_str())
}
