//! moto's IAM: what the strict STS learns from it, and the two calls that it lacks.

use http_body_util::BodyExt;
use hyper::Request;
use serde_json::Value;
use url::form_urlencoded;

use super::State;
use super::forward::Client;
use crate::http::full;
use crate::moto::Moto;
use crate::sts::{Iam, Role};

type Pairs = Vec<(String, String)>;

/// Takes the role of an `AssumeRoleWithWebIdentity` and its account's providers from moto, where it has them.
pub(super) async fn learn(client: &Client, moto: &Moto, iam: &Iam, parameters: &[(String, String)]) {
    let text =
        |name: &str| parameters.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let arn = text("RoleArn");
    let Some(account) = arn.split(':').nth(4).filter(|_| text("Action") == "AssumeRoleWithWebIdentity")
    else {
        return;
    };
    let name = arn.rsplit('/').next().unwrap_or_default();
    let found = call(client, moto, account, &[("Action", "GetRole"), ("RoleName", name)]).await;
    let role = found.filter(|xml| element(xml, "Arn") == Some(arn)).map(|xml| role(arn, &xml));
    let mut providers = Vec::new();
    if let Some(list) = call(client, moto, account, &[("Action", "ListOpenIDConnectProviders")]).await {
        for provider in elements(&list, "Arn") {
            let pairs = [("Action", "GetOpenIDConnectProvider"), ("OpenIDConnectProviderArn", provider)];
            let Some(xml) = call(client, moto, account, &pairs).await else { continue };
            let host = provider.split_once("oidc-provider/").map_or("", |(_, host)| host);
            providers.push((host.to_owned(), client_ids(&xml)));
        }
    }
    iam.mirror(account, role, providers);
}

fn role(arn: &str, xml: &str) -> Role {
    let policy = unescaped(element(xml, "AssumeRolePolicyDocument").unwrap_or_default());
    let decoded = if policy.starts_with('%') { percent_decoded(&policy) } else { policy };
    let seconds = element(xml, "MaxSessionDuration").and_then(|text| text.parse().ok());
    Role {
        arn: arn.to_owned(),
        trust_policy: serde_json::from_str::<Value>(&decoded).expect("a trust policy of moto"),
        maximum_duration: seconds.unwrap_or(3600),
    }
}

/// `AddClientIDToOpenIDConnectProvider` and its opposite, which moto does not know: the provider is made anew.
pub(super) async fn audiences(
    client: &Client,
    moto: &Moto,
    account: &str,
    parameters: &[(String, String)],
) -> Option<String> {
    let text =
        |name: &str| parameters.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let (action, arn, id) = (text("Action"), text("OpenIDConnectProviderArn"), text("ClientID"));
    let adds = match action {
        "AddClientIDToOpenIDConnectProvider" => true,
        "RemoveClientIDFromOpenIDConnectProvider" => false,
        _ => return None,
    };
    let pairs = [("Action", "GetOpenIDConnectProvider"), ("OpenIDConnectProviderArn", arn)];
    let before = call(client, moto, account, &pairs).await?;
    let mut ids = client_ids(&before);
    ids.retain(|known| known != id);
    ids.extend(adds.then(|| id.to_owned()));
    let url = format!("https://{}", arn.split_once("oidc-provider/").map_or("", |(_, host)| host));
    let mut anew: Pairs = vec![("Action".into(), "CreateOpenIDConnectProvider".into()), ("Url".into(), url)];
    for (number, id) in ids.iter().enumerate() {
        anew.push((format!("ClientIDList.member.{}", number + 1), id.clone()));
    }
    let (keys, values) = (elements(&before, "Key"), elements(&before, "Value"));
    for (number, (key, value)) in keys.iter().zip(values).enumerate() {
        anew.push((format!("Tags.member.{}.Key", number + 1), unescaped(key)));
        anew.push((format!("Tags.member.{}.Value", number + 1), unescaped(value)));
    }
    call(
        client,
        moto,
        account,
        &[("Action", "DeleteOpenIDConnectProvider"), ("OpenIDConnectProviderArn", arn)],
    )
    .await?;
    let anew: Vec<(&str, &str)> = anew.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    call(client, moto, account, &anew).await?;
    Some(format!(
        "<{action}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ResponseMetadata><RequestId>harness</RequestId></ResponseMetadata></{action}Response>"
    ))
}

/// `GetRole` for a role that only the strict STS knows.
pub(super) async fn role_of_sts(
    state: &State,
    account: &str,
    parameters: &[(String, String)],
) -> Option<String> {
    let text =
        |name: &str| parameters.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let (action, name) = (text("Action"), text("RoleName"));
    let role = state.iam.role(account, name).filter(|_| action == "GetRole")?;
    if let Some(moto) = &state.moto
        && call(&state.client, moto, account, &[("Action", action), ("RoleName", name)]).await.is_some()
    {
        return None;
    }
    let policy: String = form_urlencoded::byte_serialize(role.trust_policy.to_string().as_bytes()).collect();
    let arn = role.arn;
    Some(format!(
        "<GetRoleResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetRoleResult><Role><Path>/</Path>\
         <RoleName>{name}</RoleName><RoleId>AROAHARNESS0000000000</RoleId><Arn>{arn}</Arn>\
         <CreateDate>2026-01-01T00:00:00Z</CreateDate>\
         <AssumeRolePolicyDocument>{policy}</AssumeRolePolicyDocument></Role></GetRoleResult>\
         <ResponseMetadata><RequestId>harness</RequestId></ResponseMetadata></GetRoleResponse>"
    ))
}

/// One call of moto's IAM; its XML, or nothing when it is refused.
async fn call(client: &Client, moto: &Moto, account: &str, pairs: &[(&str, &str)]) -> Option<String> {
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("Version", "2010-05-08")
        .extend_pairs(pairs)
        .finish();
    let scope = "AKIAHARNESSSEED00000/20260101/us-east-1/iam/aws4_request";
    let request = Request::post(format!("{}/", moto.url()))
        .header("content-type", "application/x-www-form-urlencoded")
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
        )
        .header("host", "iam.amazonaws.com")
        .header("x-moto-account-id", account)
        .body(full(body))
        .expect("a request");
    let response = client.request(request).await.ok()?;
    let is_good = response.status().is_success();
    let body = response.into_body().collect().await.ok()?.to_bytes();
    is_good.then(|| String::from_utf8_lossy(&body).into_owned())
}

fn client_ids(xml: &str) -> Vec<String> {
    let list = element(xml, "ClientIDList").unwrap_or_default();
    elements(list, "member").into_iter().map(unescaped).collect()
}

fn element<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    elements(xml, name).into_iter().next()
}

fn elements<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    xml.split(open.as_str())
        .skip(1)
        .filter_map(|rest| rest.split_once(close.as_str()).map(|(inner, _)| inner))
        .collect()
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn percent_decoded(text: &str) -> String {
    let pair = format!("k={}", text.replace('+', "%2B"));
    form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}
