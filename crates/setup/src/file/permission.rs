//! The ready permission sets: the least that a pipeline needs for one thing.

use std::path::Path;

use serde_json::{Value, json};

use super::error::FileError;
use super::raw::RawPermission;

/// What one entry of `permissions` becomes.
pub(super) enum Permission {
    /// An inline policy: the word that its name is made of, and the document.
    Inline(&'static str, Value),
    /// The ARN of a managed policy.
    Managed(String),
}

/// Where the resources are.
pub(super) struct Scope<'a> {
    pub(super) partition: &'a str,
    pub(super) account: &'a str,
    /// `*` where the file names no region.
    pub(super) region: &'a str,
    pub(super) folder: &'a Path,
    pub(super) place: String,
}

impl Scope<'_> {
    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account)
    }

    fn bucket(&self, bucket: &str) -> String {
        format!("arn:{}:s3:::{bucket}", self.partition)
    }

    fn wrong(&self, problem: impl std::fmt::Display) -> FileError {
        FileError::at(&self.place, problem)
    }
}

const ECR_PULL: [&str; 3] =
    ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
const ECR_PUSH: [&str; 4] =
    ["ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"];
/// What `autoCreateRepository` of `ecrPush` calls.
const ECR_CREATE: [&str; 5] = [
    "ecr:CreateRepository",
    "ecr:DescribeRepositories",
    "ecr:PutImageScanningConfiguration",
    "ecr:PutLifecyclePolicy",
    "ecr:TagResource",
];

pub(super) fn build(raw: &RawPermission, scope: &Scope<'_>) -> Result<Permission, FileError> {
    let inline = |word, statements: Vec<Value>| Ok(Permission::Inline(word, policy(statements)));
    match raw {
        RawPermission::EcrPush { repositories, create } => {
            let mut actions = [ECR_PULL.as_slice(), &ECR_PUSH].concat();
            actions.extend(create.then_some(ECR_CREATE).into_iter().flatten());
            inline("ecr-push", ecr(&actions, repositories, scope)?)
        }
        RawPermission::EcrPull { repositories } => inline("ecr-pull", ecr(&ECR_PULL, repositories, scope)?),
        RawPermission::ReadParameters { path, kms_key } => {
            inline("read-parameters", parameters(path, kms_key.as_deref(), scope)?)
        }
        RawPermission::ReadSecrets { names, kms_key } => {
            inline("read-secrets", secrets(names, kms_key.as_deref(), scope)?)
        }
        RawPermission::S3Write { bucket, prefix, delete } => {
            let mut actions = vec!["s3:AbortMultipartUpload", "s3:PutObject"];
            actions.extend(delete.then_some("s3:DeleteObject"));
            inline("s3-write", objects(&actions, bucket, prefix, *delete, scope)?)
        }
        RawPermission::S3Read { bucket, prefix } => {
            inline("s3-read", objects(&["s3:GetObject"], bucket, prefix, true, scope)?)
        }
        RawPermission::TerraformState { bucket, prefix, lock_table } => {
            inline("terraform-state", terraform(bucket, prefix, lock_table.as_deref(), scope)?)
        }
        RawPermission::PolicyFile(path) => Ok(Permission::Inline("file", policy_file(path, scope)?)),
        RawPermission::ManagedPolicy(arn) => managed(arn, scope),
    }
}

fn policy(statements: Vec<Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn allow(sid: &str, actions: &[&str], resources: Vec<String>) -> Value {
    json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources })
}

/// A name that stands in an ARN: wildcards are allowed, they are how a user says "all of these".
fn word(what: &str, value: &str, scope: &Scope<'_>) -> Result<String, FileError> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"/_.-+=@*".contains(&byte);
    let is_everything = value.bytes().all(|byte| b"*/".contains(&byte));
    if is_everything || !value.bytes().all(good) {
        return Err(scope.wrong(format!(
            "{what} \"{value}\" is empty, everything (*), or has a character that no such name has"
        )));
    }
    Ok(value.to_owned())
}

fn ecr(actions: &[&str], repositories: &[String], scope: &Scope<'_>) -> Result<Vec<Value>, FileError> {
    if repositories.is_empty() {
        return Err(scope.wrong("name at least one repository"));
    }
    let arns: Result<Vec<String>, FileError> = repositories
        .iter()
        .map(|name| Ok(scope.arn("ecr", &format!("repository/{}", word("repository", name, scope)?))))
        .collect();
    // "GetAuthorizationToken … Resource types: none" (Service Authorization Reference, Amazon ECR).
    Ok(vec![
        allow("Login", &["ecr:GetAuthorizationToken"], vec!["*".to_owned()]),
        allow("Images", actions, arns?),
    ])
}

fn parameters(path: &str, kms_key: Option<&str>, scope: &Scope<'_>) -> Result<Vec<Value>, FileError> {
    let path = word("path", path.trim_matches('/'), scope)?;
    let below = scope.arn("ssm", &format!("parameter/{path}"));
    let actions = ["ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath"];
    let mut statements = vec![allow("Parameters", &actions, vec![below.clone(), format!("{below}/*")])];
    statements.extend(decrypt(kms_key, "ssm", scope)?);
    Ok(statements)
}

fn secrets(names: &[String], kms_key: Option<&str>, scope: &Scope<'_>) -> Result<Vec<Value>, FileError> {
    if names.is_empty() {
        return Err(scope.wrong("name at least one secret"));
    }
    // Secrets Manager puts a hyphen and six random characters behind the name.
    let arns: Result<Vec<String>, FileError> = names
        .iter()
        .map(|name| {
            Ok(scope.arn("secretsmanager", &format!("secret:{}-??????", word("secret", name, scope)?)))
        })
        .collect();
    let mut statements = vec![allow("Secrets", &["secretsmanager:GetSecretValue"], arns?)];
    statements.extend(decrypt(kms_key, "secretsmanager", scope)?);
    Ok(statements)
}

/// Only for a key of one's own: the key policies of `alias/aws/…` let in whoever may call the service.
fn decrypt(kms_key: Option<&str>, service: &str, scope: &Scope<'_>) -> Result<Option<Value>, FileError> {
    let Some(key) = kms_key else { return Ok(None) };
    let arn = match key {
        arn if arn.starts_with("arn:") => arn.to_owned(),
        id => scope.arn("kms", &format!("key/{}", word("kmsKey", id, scope)?)),
    };
    let mut statement = allow("Decrypt", &["kms:Decrypt"], vec![arn]);
    let suffix =
        causeway_types::Partition::by_id(scope.partition).map_or("amazonaws.com", |p| p.dns_suffix());
    let via = format!("{service}.{}.{suffix}", scope.region);
    statement["Condition"] = json!({ "StringLike": { "kms:ViaService": via } });
    Ok(Some(statement))
}

fn objects(
    actions: &[&str],
    bucket: &str,
    prefix: &str,
    list: bool,
    scope: &Scope<'_>,
) -> Result<Vec<Value>, FileError> {
    let bucket = scope.bucket(&word("bucket", bucket, scope)?);
    let prefix = prefix.trim_start_matches('/');
    if !prefix.is_empty() {
        word("prefix", prefix, scope)?;
    }
    let mut statements = vec![allow("Objects", actions, vec![format!("{bucket}/{prefix}*")])];
    if list {
        statements.push(listing(&bucket, prefix));
    }
    Ok(statements)
}

fn listing(bucket: &str, prefix: &str) -> Value {
    let mut statement = allow("List", &["s3:ListBucket"], vec![bucket.to_owned()]);
    if !prefix.is_empty() {
        statement["Condition"] = json!({ "StringLike": { "s3:prefix": format!("{prefix}*") } });
    }
    statement
}

/// What Terraform's page "Backend Type: s3" asks for: list the bucket, read and write the state, and create and delete the
/// lock file beside it, or use the lock table.
fn terraform(
    bucket: &str,
    prefix: &str,
    lock_table: Option<&str>,
    scope: &Scope<'_>,
) -> Result<Vec<Value>, FileError> {
    let mut statements = objects(&["s3:GetObject", "s3:PutObject"], bucket, prefix, true, scope)?;
    let prefix = prefix.trim_start_matches('/');
    match lock_table {
        None => {
            let locks = format!("{}/{prefix}*.tflock", scope.bucket(bucket));
            statements.push(allow("Lock", &["s3:DeleteObject"], vec![locks]));
        }
        Some(table) => {
            let actions =
                ["dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"];
            let table = scope.arn("dynamodb", &format!("table/{}", word("lockTable", table, scope)?));
            statements.push(allow("Lock", &actions, vec![table]));
        }
    }
    Ok(statements)
}

fn policy_file(path: &str, scope: &Scope<'_>) -> Result<Value, FileError> {
    let file = scope.folder.join(path);
    let text = std::fs::read_to_string(&file)
        .map_err(|error| scope.wrong(format!("{}: {error}", file.display())))?;
    let document: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| scope.wrong(format!("{}: this is not JSON: {error}", file.display())))?;
    if document.get("Statement").is_none() {
        return Err(scope.wrong(format!("{}: it has no Statement", file.display())));
    }
    Ok(document)
}

fn managed(arn: &str, scope: &Scope<'_>) -> Result<Permission, FileError> {
    let parsed: Result<causeway_identity::ManagedPolicyArn, _> = arn.parse();
    parsed.map(|arn| Permission::Managed(arn.as_str().to_owned())).map_err(|error| scope.wrong(error))
}
