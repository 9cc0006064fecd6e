//! Which texts are hosts of ECR registries.
#![allow(clippy::unwrap_used, reason = "a test may fail that way")]

use causeway_registry::{RegistryHost, RegistryName};

#[test]
fn the_hosts_of_every_partition_are_read() {
    for (host, region, fips, dual_stack) in [
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com", "us-east-1", false, false),
        ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", "us-east-1", true, false),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", false, false),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1", true, false),
        ("123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1", false, false),
        ("123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov", "us-iso-east-1", false, false),
        ("123456789012.dkr.ecr.us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1", false, false),
        ("123456789012.dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1", false, false),
        ("123456789012.dkr.ecr.us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1", false, false),
        ("123456789012.dkr-ecr.us-west-2.on.aws", "us-west-2", false, true),
        ("123456789012.dkr-ecr-fips.us-gov-east-1.on.aws", "us-gov-east-1", true, true),
        ("123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn", "cn-north-1", false, true),
        ("123456789012.dkr-ecr.eusc-de-east-1.on.amazonwebservices.eu", "eusc-de-east-1", false, true),
        ("123456789012.dkr-ecr.us-iso-west-1.on.aws.ic.gov", "us-iso-west-1", false, true),
        ("123456789012.dkr-ecr.us-isob-east-1.on.aws.scloud", "us-isob-east-1", false, true),
        ("123456789012.dkr-ecr.eu-isoe-west-1.on.cloud-aws.adc-e.uk", "eu-isoe-west-1", false, true),
        ("123456789012.dkr-ecr.us-isof-south-1.on.aws.hci.ic.gov", "us-isof-south-1", false, true),
    ] {
        for written in
            [host.to_owned(), format!("https://{host}"), format!("https://{host}/"), host.to_uppercase()]
        {
            let parsed: RegistryHost = written.parse().unwrap();
            assert_eq!(parsed.to_string(), host);
            assert_eq!(parsed.account().unwrap().as_str(), "123456789012");
            assert_eq!(parsed.region().unwrap().as_str(), region);
            assert_eq!(
                (parsed.is_fips(), parsed.is_dual_stack(), parsed.is_public()),
                (fips, dual_stack, false)
            );
        }
    }
}

#[test]
fn the_public_registry_has_neither_account_nor_region() {
    for (written, host, dual_stack) in [
        ("public.ecr.aws", "public.ecr.aws", false),
        ("https://public.ecr.aws/", "public.ecr.aws", false),
        ("ecr-public.aws.com", "ecr-public.aws.com", true),
    ] {
        let parsed: RegistryHost = written.parse().unwrap();
        assert_eq!((parsed.as_str(), parsed.is_public(), parsed.is_dual_stack()), (host, true, dual_stack));
        assert!(parsed.account().is_none() && parsed.region().is_none() && !parsed.is_fips());
    }
}

#[test]
fn everything_else_is_refused_with_the_reason() {
    for (wrong, reason) in [
        ("", "empty"),
        ("https://", "empty"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example", "does not end"),
        ("public.ecr.aws.evil.example", "form"),
        ("evil.example/123456789012.dkr.ecr.us-east-1.amazonaws.com", "path"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/repository", "path"),
        ("https://123456789012.dkr.ecr.us-east-1.amazonaws.com//", "path"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com?x", "path"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com#x", "path"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com:5000", "port"),
        ("AWS:hunter2@123456789012.dkr.ecr.us-east-1.amazonaws.com", "user name"),
        ("http://123456789012.dkr.ecr.us-east-1.amazonaws.com", "https"),
        ("https://https://public.ecr.aws", "https"),
        ("12345.dkr.ecr.us-east-1.amazonaws.com", "twelve digits"),
        (".dkr.ecr.us-east-1.amazonaws.com", "twelve digits"),
        ("x.123456789012.dkr.ecr.us-east-1.amazonaws.com", "form"),
        ("123456789012.dkr.ecr.amazonaws.com", "region"),
        ("123456789012.dkr.ecr.us east-1.amazonaws.com", "characters"),
        ("123456789012.dkr.ecr.us-eäst-1.amazonaws.com", "characters"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com\0", "characters"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com.cn", "does not end"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com", "does not end"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com.", "does not end"),
        ("123456789012.dkr.ecr.us-west-2.on.aws", "does not end"),
        ("123456789012.dkr-ecr.us-west-2.amazonaws.com", "does not end"),
        ("123456789012.dkr-ecr.cn-north-1.on.aws", "does not end"),
        ("123456789012.dkr.s3.us-east-1.amazonaws.com", "form"),
        ("registry.example", "form"),
        ("localhost", "form"),
    ] {
        let error = wrong.parse::<RegistryHost>().unwrap_err().to_string();
        assert!(error.contains(reason), "{wrong}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn registries_are_named_by_account_region_or_host() {
    let at_hand = "eu-west-1".parse().unwrap();
    for (name, host) in [
        ("123456789012", "123456789012.dkr.ecr.eu-west-1.amazonaws.com"),
        (" 123456789012.us-gov-west-1 ", "123456789012.dkr.ecr.us-gov-west-1.amazonaws.com"),
        ("123456789012.cn-north-1", "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"),
        ("123456789012.eusc-de-east-1", "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu"),
        ("123456789012.dkr-ecr-fips.us-gov-east-1.on.aws", "123456789012.dkr-ecr-fips.us-gov-east-1.on.aws"),
        ("https://public.ecr.aws/", "public.ecr.aws"),
    ] {
        let named: RegistryName = name.parse().unwrap();
        assert_eq!(named.host(&at_hand).as_str(), host);
        assert_eq!(named.host(&at_hand), host.parse().unwrap(), "built and read alike");
    }
    for (wrong, reason) in [
        ("", "empty"),
        ("12345", "form"),
        ("123456789012.nowhere", "region"),
        ("123456789012.dkr.ecr.eu-west-1.evil.example", "does not end"),
        ("docker.io", "form"),
        ("AWS:hunter2@public.ecr.aws", "user name"),
    ] {
        let error = wrong.parse::<RegistryName>().unwrap_err().to_string();
        assert!(error.contains(reason) && !error.contains("hunter2"), "{wrong}: {error}");
    }
}

#[test]
fn the_hosts_of_one_registry_are_known_as_such() {
    let host = |text: &str| text.parse::<RegistryHost>().unwrap();
    let own = host("123456789012.dkr.ecr.us-east-1.amazonaws.com");
    for same in ["123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", "123456789012.dkr-ecr.us-east-1.on.aws"]
    {
        assert!(own.is_same_registry(&host(same)), "{same}");
    }
    for other in [
        "210987654321.dkr.ecr.us-east-1.amazonaws.com",
        "123456789012.dkr.ecr.us-west-2.amazonaws.com",
        "public.ecr.aws",
    ] {
        assert!(!own.is_same_registry(&host(other)), "{other}");
    }
}
