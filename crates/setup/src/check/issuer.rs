use super::{Finding, Severity};
use crate::file::{Setup, Tenant};
use crate::plan::{AZURE_DEVOPS, Observed};

/// Whether the new issuer is known: "vstoken.dev.azure.com" retires on 2027-07-01.
pub(super) fn check(setup: &Setup, observed: &Observed, findings: &mut Vec<Finding>) {
    let cause = match (setup.tenant, observed.azure_devops.place.tenant) {
        (Tenant::None, _) => "the file says tenant: none, so no role trusts the new issuer (Microsoft Entra)",
        (Tenant::Detect, None) => {
            "Azure DevOps names no Entra tenant of the organization, so no role trusts the new issuer (Microsoft Entra)"
        }
        _ => return,
    };
    findings.push(Finding {
        code: "issuer-2027",
        severity: Severity::Warning,
        place: AZURE_DEVOPS.to_owned(),
        subject: "issuer".to_owned(),
        cause: format!("{cause}; the old one retires on 2027-07-01"),
        cure: "give the tenant's GUID in tenant (Organization settings, Microsoft Entra) and run causeway setup apply; an organization without a tenant keeps the old issuer for now".to_owned(),
    });
}
