use std::sync::LazyLock;

use regex_lite::Regex;
use serde::Deserialize;

/// The table that AWS ships with its SDKs (here botocore's copy, renewed by `scripts/update-partitions`).
const SDK_DATA: &str = include_str!("../data/partitions.json");

/// One of AWS's separate worlds: `aws`, `aws-cn`, `aws-us-gov`, `aws-eusc`, `aws-iso` and its siblings.
///
/// Accounts, ARNs and hosts of one partition mean nothing in another.
#[derive(Debug)]
pub struct Partition {
    id: String,
    dns_suffix: String,
    dual_stack_dns_suffix: String,
    regions: Vec<String>,
    region_pattern: Regex,
}

impl Partition {
    /// The partition that a region belongs to. A region that no entry knows counts as `aws`, as it does
    /// for the SDKs ("aws.partition" in the Smithy endpoint rules).
    #[must_use]
    pub fn of_region(region: &str) -> &'static Self {
        let table = partitions();
        table
            .iter()
            .find(|partition| partition.regions.iter().any(|known| known == region))
            .or_else(|| table.iter().find(|partition| partition.region_pattern.is_match(region)))
            .unwrap_or(&table[0])
    }

    /// The partition whose ARNs begin with `arn:<id>:`.
    #[must_use]
    pub fn by_id(id: &str) -> Option<&'static Self> {
        partitions().iter().find(|partition| partition.id == id)
    }

    /// Every partition that the table names, `aws` first.
    pub fn all() -> impl Iterator<Item = &'static Self> {
        partitions().iter()
    }

    /// The second field of an ARN, such as `aws-cn`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What hosts of this partition end in, such as `amazonaws.com.cn`.
    #[must_use]
    pub fn dns_suffix(&self) -> &str {
        &self.dns_suffix
    }

    /// What its dual-stack (IPv4 and IPv6) hosts end in, such as `api.aws`.
    #[must_use]
    pub fn dual_stack_dns_suffix(&self) -> &str {
        &self.dual_stack_dns_suffix
    }
}

fn partitions() -> &'static [Partition] {
    static TABLE: LazyLock<Vec<Partition>> = LazyLock::new(|| {
        // The data is compiled in and a test reads all of it, so a failure cannot reach a user.
        let table: Table = serde_json::from_str(SDK_DATA).unwrap_or_default();
        table.partitions.into_iter().filter_map(Entry::into_partition).collect()
    });
    &TABLE
}

#[derive(Default, Deserialize)]
struct Table {
    partitions: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: String,
    outputs: Outputs,
    region_regex: String,
    regions: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outputs {
    dns_suffix: String,
    dual_stack_dns_suffix: String,
}

impl Entry {
    fn into_partition(self) -> Option<Partition> {
        Some(Partition {
            id: self.id,
            dns_suffix: self.outputs.dns_suffix,
            dual_stack_dns_suffix: self.outputs.dual_stack_dns_suffix,
            regions: self.regions.into_iter().map(|(name, _)| name).collect(),
            region_pattern: Regex::new(&self.region_regex).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_is_read_and_aws_comes_first() {
        let table: serde_json::Value = serde_json::from_str(SDK_DATA).unwrap();
        assert_eq!(partitions().len(), table["partitions"].as_array().unwrap().len());
        assert_eq!(partitions()[0].id(), "aws");
    }

    #[test]
    fn regions_find_their_partition() {
        for (region, id, suffix) in [
            ("eu-west-1", "aws", "amazonaws.com"),
            ("aws-global", "aws", "amazonaws.com"),
            ("mx-central-1", "aws", "amazonaws.com"),
            ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
            ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
            ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
            ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
            ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
            ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
            ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"),
            ("eu-newplace-7", "aws", "amazonaws.com"),
        ] {
            let partition = Partition::of_region(region);
            assert_eq!((partition.id(), partition.dns_suffix()), (id, suffix), "{region}");
        }
    }
}
