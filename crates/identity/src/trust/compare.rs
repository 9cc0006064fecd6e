//! The values that are not text.

use std::cmp::Ordering;
use std::net::IpAddr;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::operator::Order;

impl Order {
    pub(super) fn fits(self, found: &f64, wanted: &f64) -> bool {
        match found.partial_cmp(wanted) {
            Some(Ordering::Less) => matches!(self, Self::Less | Self::LessOrEqual),
            Some(Ordering::Equal) => matches!(self, Self::Equal | Self::LessOrEqual | Self::GreaterOrEqual),
            Some(Ordering::Greater) => matches!(self, Self::Greater | Self::GreaterOrEqual),
            None => false,
        }
    }
}

/// "an integer or decimal value".
pub(super) fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
    if plain { text.parse().ok() } else { None }
}

/// Seconds since 1970: "one of the W3C implementations of the ISO 8601 date formats or in epoch (UNIX) time".
pub(super) fn date(text: &str) -> Option<f64> {
    if let Some(seconds) = number(text) {
        // A year alone is also a number; IAM's own examples write dates in full, and epochs are never that small.
        return (text.len() != 4).then_some(seconds).or_else(|| date(&format!("{text}-01-01T00:00:00Z")));
    }
    let full = match text.len() {
        7 => format!("{text}-01T00:00:00Z"),
        10 => format!("{text}T00:00:00Z"),
        _ => with_seconds(text),
    };
    DateTime::from_str(&full, Format::DateTimeWithOffset).ok().map(|time| time.as_secs_f64())
}

/// `2026-11-21T08:30Z` with the seconds that the reader wants.
fn with_seconds(text: &str) -> String {
    match (text.get(..16), text.get(16..)) {
        (Some(minutes), Some(zone)) if !zone.starts_with(':') => format!("{minutes}:00{zone}"),
        _ => text.to_owned(),
    }
}

pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

pub(super) fn binary(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text).ok()
}

/// An address and how many of its bits count ("If you specify an IP address without the associated routing prefix, IAM
/// uses the default prefix value of /32"; all bits for IPv6).
pub(super) fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let length = length.unwrap_or(longest);
    (length <= longest).then_some((address, length))
}

/// Whether an address lies in a network of its own family.
pub(super) fn lies_in(address: IpAddr, (network, length): (IpAddr, u32)) -> bool {
    let differing = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u32::from(a) ^ u32::from(b)).leading_zeros(),
        (IpAddr::V6(a), IpAddr::V6(b)) => (u128::from(a) ^ u128::from(b)).leading_zeros(),
        _ => return false,
    };
    differing >= length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_every_documented_form() {
        let at = 1_795_249_800.0;
        for text in ["2026-11-21T08:30:00Z", "2026-11-21T08:30Z", "2026-11-21T09:30:00+01:00", "1795249800"] {
            assert_eq!(date(text), Some(at), "{text}");
        }
        assert_eq!(date("2026-11-21"), Some(1_795_219_200.0));
        assert_eq!(date("2026-11"), Some(1_793_491_200.0));
        assert_eq!(date("2026"), Some(1_767_225_600.0));
        for wrong in ["", "soon", "2026-13-01", "2026-11-21 08:30", "é026-11-21T0"] {
            assert_eq!(date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn addresses_lie_in_their_networks() {
        let lies = |address: &str, range: &str| lies_in(address.parse().unwrap(), network(range).unwrap());
        assert!(lies("203.0.113.9", "203.0.113.0/24"));
        assert!(!lies("203.0.114.9", "203.0.113.0/24"));
        assert!(lies("203.0.113.9", "203.0.113.9"));
        assert!(lies("9.9.9.9", "0.0.0.0/0"));
        assert!(lies("2001:db8::1", "2001:DB8::/32"));
        assert!(!lies("2001:db8::1", "0.0.0.0/0"));
        for wrong in ["", "1.2.3", "1.2.3.4/33", "1.2.3.4/x", "::/129"] {
            assert_eq!(network(wrong), None, "{wrong}");
        }
    }
}
