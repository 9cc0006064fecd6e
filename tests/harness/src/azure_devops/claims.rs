use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Organization, RegisteredConnection};

/// The audience of every token of a service connection; Azure DevOps has no other.
pub const AUDIENCE: &str = "api://AzureADTokenExchange";

/// Azure DevOps as an application of Microsoft Entra.
const AZURE_DEVOPS: Uuid = Uuid::from_u128(0x499b84ac_1321_427f_aa17_267ca6975798);

/// The two forms of issuer that are in use until July 2027.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssuerForm {
    /// `https://vstoken.dev.azure.com/{organization GUID}` and `sc://organization/project/connection`.
    Vstoken,
    /// `https://login.microsoftonline.com/{tenant}/v2.0` and `…/sc/{organization GUID}/{connection GUID}`.
    Entra,
}

impl Organization {
    /// The `iss` of its tokens.
    #[must_use]
    pub fn issuer_url(&self) -> String {
        match self.issuer {
            IssuerForm::Vstoken => format!("https://vstoken.dev.azure.com/{}", self.id),
            IssuerForm::Entra => format!("https://login.microsoftonline.com/{}/v2.0", self.tenant),
        }
    }

    /// The `sub` of a connection's tokens.
    #[must_use]
    pub fn connection_subject(&self, connection: &RegisteredConnection) -> String {
        match self.issuer {
            IssuerForm::Vstoken => format!("sc://{}/{}/{}", self.name, self.project, connection.name),
            IssuerForm::Entra => {
                // As published tokens have it: GUIDs in .NET's byte order, base64url.
                let encoded = |id: Uuid| BASE64_URL_SAFE_NO_PAD.encode(id.to_bytes_le());
                let (tenant, application) = (encoded(self.tenant), encoded(AZURE_DEVOPS));
                format!("/eid1/c/pub/t/{tenant}/a/{application}/sc/{}/{}", self.id, connection.id)
            }
        }
    }

    /// The `sub` of a job's tokens without a connection.
    #[must_use]
    pub fn pipeline_subject(&self) -> String {
        format!("p://{}/{}/{}", self.name, self.project, self.pipeline)
    }

    /// The claims of a token for a connection, or for the job itself.
    pub(super) fn claims(&self, connection: Option<&RegisteredConnection>) -> Map<String, Value> {
        let now = now().saturating_add_signed(self.clock);
        let subject = connection
            .map_or_else(|| self.pipeline_subject(), |connection| self.connection_subject(connection));
        let mut claims = json!({
            "jti": Uuid::new_v4(),
            "sub": subject,
            "aud": AUDIENCE,
            "iss": self.issuer_url(),
            "nbf": now - 300,
            "exp": now + self.token_seconds,
            "iat": now,
        });
        if connection.is_none() {
            claims["org_id"] = json!(self.id);
            claims["prj_id"] = json!(self.project_id);
            claims["def_id"] = json!("17");
            claims["rpo_id"] = json!(Uuid::new_v4());
            claims["rpo_uri"] =
                json!(format!("https://dev.azure.com/{}/{}/_git/shop", self.name, self.project));
            claims["rpo_ver"] = json!("0f1e2d3c4b5a69788796a5b4c3d2e1f001122334");
            claims["rpo_ref"] = json!("refs/heads/main");
            claims["run_id"] = json!("4711");
        }
        match claims {
            Value::Object(claims) => claims,
            _ => Map::new(),
        }
    }
}

/// Seconds since 1970.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
