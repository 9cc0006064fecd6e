//! AWS's own clock, which a machine's may differ from.

use http::request::Parts;
use time::format_description::well_known::Rfc2822;
use time::macros::format_description;
use time::{Date, Month, OffsetDateTime};

use super::State;
use crate::http::header;
use crate::sts::StsError;

/// What a signature's time may differ by: five minutes, and fifteen for S3 ("Signature Version 4 request elements", and
/// S3's `RequestTimeTooSkewed`).
fn allowed(service: &str) -> i64 {
    if service == "s3" { 900 } else { 300 }
}

impl State {
    /// The `Date` of an answer; `None` while the clock is the machine's.
    pub(super) fn date(&self) -> Option<String> {
        let text =
            OffsetDateTime::from(self.iam.now()).format(&Rfc2822).expect("a date").replace("+0000", "GMT");
        (self.iam.clock() != 0).then_some(text)
    }

    /// Refuses a signature that is too old or too new.
    pub(super) fn check_time(&self, service: &str, parts: &Parts) -> Result<(), StsError> {
        if self.iam.clock() == 0 {
            return Ok(());
        }
        let format = format_description!("[year][month][day]T[hour][minute][second]Z");
        let signed = header(&parts.headers, "x-amz-date");
        let Some(time) = read(signed) else { return Ok(()) };
        let now = OffsetDateTime::from(self.iam.now());
        let ahead = (time - now).whole_seconds();
        if ahead.abs() <= allowed(service) {
            return Ok(());
        }
        let now = now.format(format).expect("a time");
        Err(StsError::skewed(service, signed, &now, ahead > 0))
    }
}

/// `20260102T030405Z`.
fn read(text: &str) -> Option<OffsetDateTime> {
    let number = |at: std::ops::Range<usize>| text.get(at)?.parse::<u8>().ok();
    let month = Month::try_from(number(4..6)?).ok()?;
    let date = Date::from_calendar_date(text.get(..4)?.parse().ok()?, month, number(6..8)?).ok()?;
    Some(date.with_hms(number(9..11)?, number(11..13)?, number(13..15)?).ok()?.assume_utc())
}
