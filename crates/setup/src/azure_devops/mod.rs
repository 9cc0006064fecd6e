//! One organization and project of Azure DevOps: its service connections, and the ids that an issuer is made of.

mod bearer;
mod endpoint;
mod error;
mod transport;

use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use azure_core::http::{RawResponse, RetryOptions, Transport, Url};
use azure_devops_rust_api::{Credential, approvals_and_checks, core, service_endpoint};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use bearer::Bearer;
pub use endpoint::{Authorization, Endpoint, ProjectReference, Reference};
pub(crate) use endpoint::{body, differences, marker};
pub use error::AzureDevOpsError;
use transport::Carrier;

/// What a part of a path keeps as it is: the unreserved characters of RFC 3986.
const PATH_WORD: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How the person signs in.
#[derive(Debug, Clone)]
pub enum SignIn {
    /// A personal access token.
    PersonalAccessToken(SecretString),
    /// A token of Microsoft Entra, or of a job.
    Bearer(SecretString),
}

/// A client for one organization.
#[derive(Clone)]
pub struct AzureDevOps {
    endpoint: Url,
    organization: String,
    credential: Credential,
    carrier: Carrier,
}

/// The organization and project as Azure DevOps names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The organization's name, in its own case.
    pub organization: String,
    /// Its GUID, which the issuer is named by.
    pub organization_id: Uuid,
    /// The Entra tenant behind it.
    pub tenant: Option<Uuid>,
    /// The project's GUID.
    pub project_id: Uuid,
    /// The project's name, in its own case.
    pub project: String,
}

impl Place {
    /// The project as a connection refers to it.
    #[must_use]
    pub fn reference(&self) -> Reference {
        Reference { id: self.project_id, name: Some(self.project.clone()) }
    }
}

type Answer<T> = Result<T, AzureDevOpsError>;

impl AzureDevOps {
    /// A client for `organization` at `address` (`https://dev.azure.com`, unless a test says otherwise).
    #[must_use]
    pub fn new(connector: SharedHttpConnector, address: Url, organization: &str, sign_in: SignIn) -> Self {
        let credential = match sign_in {
            SignIn::PersonalAccessToken(token) => Credential::from_pat(token.expose_secret()),
            SignIn::Bearer(token) => Credential::from_token_credential(Arc::new(Bearer(token))),
        };
        Self {
            endpoint: address,
            organization: organization.to_owned(),
            credential,
            carrier: Carrier::new(connector),
        }
    }

    /// Finds the project, and with it the organization's GUID ("Projects - Get": its link `collection` ends in it).
    ///
    /// # Errors
    /// [`AzureDevOpsError`].
    pub async fn place(&self, project: &str) -> Answer<Place> {
        const CALL: &str = "Projects - Get";
        let project = utf8_percent_encode(project, PATH_WORD).to_string();
        let sent = self.core().projects_client().get(&self.organization, project).send().await;
        let found: Value = read(CALL, sent.map(core::projects::get::Response::into_raw_response))?;
        let text = |pointer: &str| found.pointer(pointer).and_then(Value::as_str);
        let missing =
            |what: &str| AzureDevOpsError::Unreadable { call: CALL, reason: format!("{what} is missing") };
        let collection = text("/_links/collection/href").and_then(|href| href.rsplit('/').next());
        let organization_id = collection.and_then(|id| Uuid::parse_str(id).ok());
        let project_id = text("/id").and_then(|id| Uuid::parse_str(id).ok());
        Ok(Place {
            organization: text("/url").and_then(organization_in).unwrap_or_else(|| self.organization.clone()),
            organization_id: organization_id.ok_or_else(|| missing("the collection's id"))?,
            tenant: self.tenant().await?,
            project_id: project_id.ok_or_else(|| missing("the project's id"))?,
            project: text("/name").ok_or_else(|| missing("the project's name"))?.to_owned(),
        })
    }

    /// Every service connection of the project ("Endpoints - Get Service Endpoints").
    ///
    /// # Errors
    /// [`AzureDevOpsError`].
    pub async fn endpoints(&self, project: Uuid) -> Answer<Vec<Endpoint>> {
        const CALL: &str = "Endpoints - Get Service Endpoints";
        let client = self.service_endpoint();
        let call = client.endpoints_client().get_service_endpoints(&self.organization, project.to_string());
        let sent = call.include_failed(true).send().await;
        let found: List<Endpoint> = read(
            CALL,
            sent.map(service_endpoint::endpoints::get_service_endpoints::Response::into_raw_response),
        )?;
        Ok(found.value)
    }

    /// Whether the organization has a connection type ("Types - List"): it comes with an extension.
    ///
    /// # Errors
    /// [`AzureDevOpsError`].
    pub async fn has_type(&self, name: &str) -> Answer<bool> {
        const CALL: &str = "Types - List";
        let sent = self.service_endpoint().types_client().list(&self.organization).type_(name).send().await;
        let found: List<Value> =
            read(CALL, sent.map(service_endpoint::types::list::Response::into_raw_response))?;
        Ok(found.value.iter().any(|found| found["name"] == name))
    }

    /// Makes a connection and answers its GUID.
    ///
    /// # Errors
    /// [`AzureDevOpsError`].
    pub async fn create(&self, body: Value) -> Answer<Uuid> {
        const CALL: &str = "Endpoints - Create";
        let body: service_endpoint::models::ServiceEndpoint = model(CALL, body)?;
        let sent = self.service_endpoint().endpoints_client().create(&self.organization, body);
        let sent = sent.send().await;
        let made: Endpoint =
            read(CALL, sent.map(service_endpoint::endpoints::create::Response::into_raw_response))?;
        Ok(made.id)
    }

    /// Writes a connection anew.
    ///
    /// # Errors
    /// [`AzureDevOpsError`].
    pub async fn update(&self, id: Uuid, body: Value) -> Answer<()> {
        const CALL: &str = "Endpoints - Update Service Endpoint";
        let body: service_endpoint::models::ServiceEndpoint = model(CALL, body)?;
        let client = self.service_endpoint().endpoints_client();
        let sent = client.update_service_endpoint(&self.organization, body, id.to_string()).send().await;
        let sent =
            sent.map(service_endpoint::endpoints::update_service_endpoint::Response::into_raw_response);
        read::<Value>(CALL, sent).map(drop)
    }

    /// Removes a connection from the project.
    ///
    /// # Errors
    /// [`AzureDevOpsError`]; one that is gone already is not one.
    pub async fn delete(&self, id: Uuid, project: Uuid) -> Answer<()> {
        const CALL: &str = "Endpoints - Delete";
        let client = self.service_endpoint().endpoints_client();
        let sent = client.delete(&self.organization, id.to_string(), project.to_string()).send().await;
        let sent = sent.map(service_endpoint::endpoints::delete::Response::into_raw_response);
        match checked(CALL, sent) {
            Ok(_) | Err(AzureDevOpsError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether every pipeline may use a connection ("Pipeline Permissions - Get").
    ///
    /// # Errors
    /// [`AzureDevOpsError`].
    pub async fn is_open_to_all(&self, id: Uuid, project: Uuid) -> Answer<bool> {
        const CALL: &str = "Pipeline Permissions - Get";
        let client = self.approvals().pipeline_permissions_client();
        let sent =
            client.get(&self.organization, project.to_string(), "endpoint", id.to_string()).send().await;
        let sent = sent.map(approvals_and_checks::pipeline_permissions::get::Response::into_raw_response);
        let found: Value = read(CALL, sent)?;
        Ok(found.pointer("/allPipelines/authorized") == Some(&json!(true)))
    }

    /// Lets every pipeline use a connection ("Pipeline Permissions - Update Pipeline Permisions For Resource").
    ///
    /// # Errors
    /// [`AzureDevOpsError`].
    pub async fn open_to_all(&self, id: Uuid, project: Uuid) -> Answer<()> {
        const CALL: &str = "Pipeline Permissions - Update";
        let body = json!({
            "pipelines": [],
            "resource": { "type": "endpoint", "id": id },
            "allPipelines": { "authorized": true, "authorizedBy": null, "authorizedOn": null },
        });
        let body: approvals_and_checks::models::ResourcePipelinePermissions = model(CALL, body)?;
        let client = self.approvals().pipeline_permissions_client();
        let call = client.update_pipeline_permisions_for_resource(
            &self.organization,
            body,
            project.to_string(),
            "endpoint",
            id.to_string(),
        );
        let sent = call.send().await.map(
            approvals_and_checks::pipeline_permissions::update_pipeline_permisions_for_resource::Response::into_raw_response,
        );
        checked(CALL, sent).map(drop)
    }

    /// The tenant as an answer to a call without a token names it; none where the organization has none.
    ///
    /// An answer that is not Azure DevOps's own says nothing: taken for "none", it would have the new issuer's statements removed.
    async fn tenant(&self) -> Answer<Option<Uuid>> {
        const CALL: &str = "Types - List, without a token";
        if self.carrier.tenant().is_none() {
            let client = service_endpoint::ClientBuilder::new(Credential::unauthenticated())
                .endpoint(self.endpoint.clone())
                .retry(RetryOptions::none())
                .transport(self.transport())
                .build();
            let sent = client.types_client().list(&self.organization).send().await;
            let sent = sent.map(service_endpoint::types::list::Response::into_raw_response);
            // The answer is 401, or the sign-in page; its headers are what counts.
            match checked(CALL, sent) {
                Ok(_) | Err(AzureDevOpsError::SignIn { .. }) => {}
                Err(_) if self.carrier.tenant().is_some() => {}
                Err(error) => return Err(error),
            }
        }
        let Some(text) = self.carrier.tenant() else { return Ok(None) };
        let tenant = Uuid::parse_str(&text).map_err(|_| AzureDevOpsError::Unreadable {
            call: CALL,
            reason: "the tenant is not a GUID".to_owned(),
        })?;
        Ok((!tenant.is_nil()).then_some(tenant))
    }

    fn transport(&self) -> Transport {
        Transport::new(Arc::new(self.carrier.clone()))
    }

    fn service_endpoint(&self) -> service_endpoint::Client {
        service_endpoint::ClientBuilder::new(self.credential.clone())
            .endpoint(self.endpoint.clone())
            .retry(RetryOptions::none())
            .transport(self.transport())
            .build()
    }

    fn core(&self) -> core::Client {
        core::ClientBuilder::new(self.credential.clone())
            .endpoint(self.endpoint.clone())
            .retry(RetryOptions::none())
            .transport(self.transport())
            .build()
    }

    fn approvals(&self) -> approvals_and_checks::Client {
        approvals_and_checks::ClientBuilder::new(self.credential.clone())
            .endpoint(self.endpoint.clone())
            .retry(RetryOptions::none())
            .transport(self.transport())
            .build()
    }
}

impl fmt::Debug for AzureDevOps {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AzureDevOps")
            .field("organization", &self.organization)
            .finish_non_exhaustive()
    }
}

#[derive(serde::Deserialize)]
struct List<T> {
    #[serde(default = "Vec::new")]
    value: Vec<T>,
}

/// The client's own model of a body: it says what the API takes.
fn model<T: DeserializeOwned>(call: &'static str, body: Value) -> Answer<T> {
    serde_json::from_value(body)
        .map_err(|error| AzureDevOpsError::Unreadable { call, reason: format!("the request: {error}") })
}

fn checked(call: &'static str, sent: azure_core::Result<RawResponse>) -> Answer<RawResponse> {
    let answer = sent.map_err(|error| AzureDevOpsError::of_failure(call, &error))?;
    match u16::from(answer.status()) {
        200..=202 | 204 => Ok(answer),
        status => Err(AzureDevOpsError::of_answer(call, status, answer.body())),
    }
}

/// Azure DevOps answers a refused token with 203 and a page: only 200 is an answer.
fn read<T: DeserializeOwned>(call: &'static str, sent: azure_core::Result<RawResponse>) -> Answer<T> {
    let answer = checked(call, sent)?;
    serde_json::from_slice(answer.body())
        .map_err(|error| AzureDevOpsError::Unreadable { call, reason: error.to_string() })
}

/// `contoso` of `https://dev.azure.com/contoso/_apis/projects/…`, or of `https://contoso.visualstudio.com/…`.
fn organization_in(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    if let Some(name) = url.host_str()?.strip_suffix(".visualstudio.com") {
        return Some(name.to_owned());
    }
    let first = url.path_segments()?.next()?;
    (first != "_apis" && !first.is_empty()).then(|| first.to_owned())
}

#[cfg(test)]
mod tests;
