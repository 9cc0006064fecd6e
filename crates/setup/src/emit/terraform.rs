use serde_json::{Value, json};

use super::hcl::{Term, block, json_encoded, quoted};
use super::{identifier, providers, unmade};
use crate::azure_devops::marker;
use crate::file::{Account, Connection, ConnectionKind, Role, Setup};
use crate::plan::{Observed, trust};

type Arguments = Vec<(String, Term)>;

/// A module for `hashicorp/aws` and `microsoft/azuredevops`.
#[must_use]
pub fn module(setup: &Setup, observed: &Observed) -> String {
    let mut parts = vec![
        format!(
            "# Written by causeway setup for {}. It keeps no state of what setup apply made: use one of the two.\n{}",
            setup.id.replace(['\n', '\r'], " "),
            required()
        ),
        project(observed),
    ];
    for account in setup.accounts.values().filter(|account| setup.roles_of(&account.alias).next().is_some()) {
        parts.push(aws_provider(account));
        for needed in providers(setup, observed, account) {
            let is_there = needed.found.is_some();
            parts.push(oidc_provider(account, &needed.url, &needed.audiences, is_there));
        }
        for role in setup.roles_of(&account.alias) {
            parts.extend(role_blocks(setup, observed, account, role));
        }
    }
    parts.extend(setup.connections.iter().map(|wanted| connection(setup, wanted)));
    parts.join("\n")
}

fn text(value: &str) -> Term {
    Term::Data(json!(value))
}

fn expression(value: impl Into<String>) -> Term {
    Term::Expression(value.into())
}

fn arguments<const N: usize>(pairs: [(&str, Term); N]) -> Arguments {
    pairs.into_iter().map(|(name, term)| (name.to_owned(), term)).collect()
}

fn required() -> String {
    let source = |source: &str| Term::Object(arguments([("source", text(source))]));
    let sources =
        arguments([("aws", source("hashicorp/aws")), ("azuredevops", source("microsoft/azuredevops"))]);
    block("terraform", &arguments([("required_providers", Term::Block(sources))]))
}

fn project(observed: &Observed) -> String {
    block(
        "data \"azuredevops_project\" \"this\"",
        &arguments([("name", text(&observed.azure_devops.place.project))]),
    )
}

fn aws_provider(account: &Account) -> String {
    let mut fields = arguments([("alias", text(&identifier(&account.alias)))]);
    fields.extend(account.profile.as_ref().map(|profile| ("profile".to_owned(), text(profile))));
    fields.push(("allowed_account_ids".to_owned(), Term::Data(json!([account.id.as_str()]))));
    if let Some(role) = &account.role {
        let mut assume = arguments([("role_arn", text(role.as_str()))]);
        assume.extend(account.external_id.as_ref().map(|id| ("external_id".to_owned(), text(id.as_str()))));
        fields.push(("assume_role".to_owned(), Term::Block(assume)));
    }
    block("provider \"aws\"", &fields)
}

fn of(account: &Account) -> (String, Term) {
    ("provider".to_owned(), expression(format!("aws.{}", identifier(&account.alias))))
}

fn provider_name(account: &Account, url: &str) -> String {
    let which = if url.starts_with("https://login.microsoftonline.com/") { "entra" } else { "azure_devops" };
    format!("{}_{which}", identifier(&account.alias))
}

/// A provider that is there is read: an account has one of each issuer.
fn oidc_provider(account: &Account, url: &str, audiences: &[String], is_there: bool) -> String {
    let name = quoted(&provider_name(account, url));
    if is_there {
        return block(
            &format!("data \"aws_iam_openid_connect_provider\" {name}"),
            &[of(account), ("url".to_owned(), text(url))],
        );
    }
    block(
        &format!("resource \"aws_iam_openid_connect_provider\" {name}"),
        &[
            of(account),
            ("url".to_owned(), text(url)),
            ("client_id_list".to_owned(), Term::Data(json!(audiences))),
        ],
    )
}

fn role_name(role: &Role) -> String {
    format!("{}_{}", identifier(&role.account), identifier(role.arn.name()))
}

/// What the trust policy names by ARN or by a GUID that is yet to be, as expressions.
fn references(setup: &Setup, observed: &Observed, account: &Account, role: &Role) -> Vec<(String, String)> {
    providers(setup, observed, account)
        .iter()
        .map(|needed| {
            let data = if needed.found.is_some() { "data." } else { "" };
            let name = provider_name(account, &needed.url);
            let arn = account.provider_arn(&needed.url);
            (arn, format!("{data}aws_iam_openid_connect_provider.{name}.arn"))
        })
        .chain(unmade(observed, role).into_iter().flat_map(|name| {
            let pending = trust::pending_id(name).to_string();
            observed.identities(setup, name).into_iter().filter_map(move |identity| {
                let subject = identity.subject();
                let before = subject.strip_suffix(&pending)?;
                let id = format!("${{{}.id}}", connection_address(setup.connection(name)?));
                Some((subject.to_owned(), format!("\"{before}{id}\"")))
            })
        }))
        .collect()
}

fn role_blocks(setup: &Setup, observed: &Observed, account: &Account, role: &Role) -> Vec<String> {
    let (policy, _) = trust::wanted(setup, &observed.azure_devops, role);
    let trust = json_encoded(&policy, 1, &references(setup, observed, account, role));
    if role.existing {
        let name = role.arn.name();
        let lines: String = trust.lines().map(|line| format!("#   {line}\n")).collect();
        return vec![format!(
            "# Role {name} is somebody else's. Add these statements to its trust policy:\n{lines}"
        )];
    }
    let name = role_name(role);
    let mut fields = vec![of(account)];
    fields.extend(arguments([
        ("name", text(role.arn.name())),
        ("path", text(&role.path)),
        ("description", text(&role.description)),
        ("max_session_duration", Term::Data(json!(role.max_session_seconds))),
    ]));
    fields.extend(role.boundary.as_ref().map(|arn| ("permissions_boundary".to_owned(), text(arn))));
    fields.push(("assume_role_policy".to_owned(), expression(trust)));
    let tags: serde_json::Map<String, Value> = role
        .tags
        .iter()
        .filter(|(key, _)| !key.starts_with("causeway:"))
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect();
    if !tags.is_empty() {
        fields.push(("tags".to_owned(), Term::Data(Value::Object(tags))));
    }
    let mut blocks = vec![block(&format!("resource \"aws_iam_role\" \"{name}\""), &fields)];
    let id = format!("aws_iam_role.{name}");
    for (policy, document) in &role.policies {
        let header = format!("resource \"aws_iam_role_policy\" \"{name}_{}\"", identifier(policy));
        let mut fields = vec![of(account)];
        fields.extend(arguments([
            ("name", text(policy)),
            ("role", expression(format!("{id}.id"))),
            ("policy", expression(json_encoded(document, 1, &[]))),
        ]));
        blocks.push(block(&header, &fields));
    }
    for (number, arn) in role.managed_policies.iter().enumerate() {
        let header = format!("resource \"aws_iam_role_policy_attachment\" \"{name}_{number}\"");
        let mut fields = vec![of(account)];
        fields.extend(arguments([("role", expression(format!("{id}.name"))), ("policy_arn", text(arn))]));
        blocks.push(block(&header, &fields));
    }
    blocks
}

fn connection_address(wanted: &Connection) -> String {
    let kind = match wanted.kind {
        ConnectionKind::Causeway => "azuredevops_serviceendpoint_generic_v2",
        ConnectionKind::Aws => "azuredevops_serviceendpoint_aws",
    };
    format!("{kind}.{}", identifier(&wanted.name))
}

fn connection(setup: &Setup, wanted: &Connection) -> String {
    let address = connection_address(wanted);
    let (kind, name) = address.split_once('.').unwrap_or((&address, ""));
    let project = ("project_id", expression("data.azuredevops_project.this.id"));
    let description = marker(&setup.id, false).replace("made by causeway setup", "from causeway setup");
    let session = wanted.session_name.as_ref().map(|name| name.as_str().to_owned());
    let fields = match wanted.kind {
        ConnectionKind::Aws => {
            let mut fields = arguments([
                project,
                ("service_endpoint_name", text(&wanted.name)),
                ("description", text(&description)),
                ("role_to_assume", text(wanted.role.as_str())),
                ("use_oidc", Term::Data(json!(true))),
            ]);
            fields.extend(session.map(|name| ("role_session_name".to_owned(), text(&name))));
            fields
        }
        ConnectionKind::Causeway => {
            let mut data =
                arguments([("identitySource", text("federated")), ("roleArn", text(wanted.role.as_str()))]);
            data.extend(wanted.region.iter().map(|region| ("regionName".to_owned(), text(region.as_str()))));
            data.extend(session.map(|name| ("roleSessionName".to_owned(), text(&name))));
            arguments([
                project,
                ("name", text(&wanted.name)),
                ("description", text(&description)),
                ("type", text(wanted.kind.name())),
                ("server_url", text("https://sts.amazonaws.com/")),
                ("authorization_scheme", text("None")),
                ("parameters", Term::Object(data)),
            ])
        }
    };
    block(&format!("resource \"{kind}\" \"{name}\""), &fields)
}
