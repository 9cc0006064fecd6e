use super::document::{Node, PolicyError, within};
use super::request::Request;
use super::truth::Truth;

/// `Principal` (IAM User Guide, "AWS JSON policy elements: Principal").
#[derive(Debug, Clone)]
pub(super) struct Principals {
    pub(super) named: Vec<(Kind, String)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `"*"` without a type.
    Everyone,
    Aws,
    Federated,
    Service,
    CanonicalUser,
}

impl Principals {
    pub(super) fn read(place: &str, node: &Node) -> Result<Self, PolicyError> {
        if let Node::Text(text) = node {
            return match text.as_str() {
                "*" => Ok(Self { named: vec![(Kind::Everyone, "*".to_owned())] }),
                _ => Err(PolicyError::at(
                    place,
                    format!("\"{text}\" stands without its type, such as {{ \"Federated\": \"{text}\" }}"),
                )),
            };
        }
        let mut named = Vec::new();
        for (name, value) in node.fields(place)? {
            let here = within(place, name);
            let kind = match name.as_str() {
                "AWS" => Kind::Aws,
                "Federated" => Kind::Federated,
                "Service" => Kind::Service,
                "CanonicalUser" => Kind::CanonicalUser,
                _ => return Err(PolicyError::at(&here, "there is no such type of principal")),
            };
            named.extend(value.texts(&here)?.into_iter().map(|text| (kind, text)));
        }
        if named.is_empty() {
            return Err(PolicyError::at(place, "it names nobody"));
        }
        Ok(Self { named })
    }

    pub(super) fn federated(&self) -> impl Iterator<Item = &str> {
        self.named.iter().filter(|(kind, _)| *kind == Kind::Federated).map(|(_, name)| name.as_str())
    }

    /// Whether the token's provider is among them.
    ///
    /// `"*"` and `{"AWS": "*"}` are the same ("All principals"); an OIDC principal is its provider's ARN in full
    /// ("OIDC federated principals"), for "you cannot use a wildcard to match part of a principal name or ARN".
    pub(super) fn cover(&self, request: &Request) -> Truth {
        let provider = request.provider_arn();
        Truth::any(self.named.iter().map(|(kind, name)| match (kind, name.as_str()) {
            (Kind::Everyone, _) | (Kind::Aws, "*") => Truth::Yes,
            (Kind::Federated, "*") => {
                Truth::unknown("whether IAM takes \"*\" for a federated principal (it is not documented)")
            }
            (Kind::Federated, name) => Truth::from(name == provider),
            _ => Truth::No,
        }))
    }
}
