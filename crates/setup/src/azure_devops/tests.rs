use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;

use super::*;

/// Answers each call with the same status and tenant, or does not answer.
#[derive(Debug)]
struct Service {
    status: Option<u16>,
    tenant: Option<&'static str>,
}

impl HttpConnector for Service {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        let Some(status) = self.status else {
            return HttpConnectorFuture::ready(Err(ConnectorError::timeout("too late".into())));
        };
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from("{}"));
        if let Some(tenant) = self.tenant {
            response.headers_mut().insert("x-vss-resourcetenant", tenant);
        }
        HttpConnectorFuture::ready(Ok(response))
    }
}

async fn tenant(status: Option<u16>, tenant: Option<&'static str>) -> Answer<Option<Uuid>> {
    let connector = SharedHttpConnector::new(Service { status, tenant });
    let address = Url::parse("https://dev.azure.com").unwrap();
    let sign_in = SignIn::PersonalAccessToken("token".to_owned().into());
    AzureDevOps::new(connector, address, "contoso", sign_in).tenant().await
}

#[tokio::test]
async fn no_answer_is_not_taken_for_no_tenant() {
    for status in [None, Some(429), Some(500), Some(503), Some(404)] {
        assert!(tenant(status, None).await.is_err(), "{status:?}");
    }
    assert!(tenant(Some(401), Some("contoso.example")).await.is_err());
    for status in [200, 203, 302, 401] {
        assert_eq!(tenant(Some(status), None).await, Ok(None), "{status}");
    }
    let nil = "00000000-0000-0000-0000-000000000000";
    assert_eq!(tenant(Some(401), Some(nil)).await, Ok(None));
    let id = "4adb1680-0eac-6149-b5ee-fc8b4f6ca227";
    assert_eq!(tenant(Some(401), Some(id)).await, Ok(Uuid::parse_str(id).ok()));
}
