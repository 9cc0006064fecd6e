use std::fmt;
use std::future::Future;
use std::time::Duration;

use causeway_agent::Console;
use causeway_registry::Progress;

/// Between two lines.
const PAUSE: Duration = Duration::from_secs(5);

/// Does the work and says every few seconds how far it is; nothing when it is done before.
pub(crate) async fn with_progress<T>(
    console: &Console,
    verb: &str,
    progress: &Progress,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    let mut ticks = tokio::time::interval(PAUSE);
    ticks.tick().await;
    let mut before = 0;
    loop {
        tokio::select! {
            ending = &mut work => return ending,
            _ = ticks.tick() => {
                let (done, total) = progress.now();
                let percent = (done * 100).checked_div(total).unwrap_or_default();
                console.progress(u8::try_from(percent).unwrap_or(100));
                let speed = Size(done.saturating_sub(before) / PAUSE.as_secs());
                console.info(&format!("{verb} {} of {} ({percent} %, {speed}/s)", Size(done), Size(total)));
                before = done;
            }
        }
    }
}

/// Bytes for people.
pub(crate) struct Size(pub(crate) u64);

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = |unit: u64| (self.0 / unit, self.0 % unit * 10 / unit);
        let ((whole, part), unit) = match self.0 {
            0..0x400 => return write!(formatter, "{} B", self.0),
            0x400..0x10_0000 => (tenths(1 << 10), "KiB"),
            0x10_0000..0x4000_0000 => (tenths(1 << 20), "MiB"),
            _ => (tenths(1 << 30), "GiB"),
        };
        write!(formatter, "{whole}.{part} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn sizes_are_short() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (1 << 20, "1.0 MiB"),
            ((5 << 30) + (1 << 29), "5.5 GiB"),
        ] {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }
}
