//! Wall-clock instants: milliseconds since the Unix epoch, written in RFC 3339, UTC.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// An instant of the wall clock. Pure code takes it as an argument; only programs call [`Timestamp::now`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    unix_ms: i64,
}

/// The last instant that RFC 3339 can write: 9999-12-31T23:59:59.999Z.
const UNIX_MS_MAX: i64 = 253_402_300_799_999;

impl Timestamp {
    /// The clock's time.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self::from_unix_ms(i64::try_from(since.as_millis()).unwrap_or(UNIX_MS_MAX))
    }

    /// The instant `unix_ms` milliseconds after 1970-01-01T00:00:00Z, held within 1970 to 9999.
    pub fn from_unix_ms(unix_ms: i64) -> Self {
        Self { unix_ms: unix_ms.clamp(0, UNIX_MS_MAX) }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn unix_ms(self) -> i64 {
        self.unix_ms
    }

    /// Later by `duration`, held at the end of the year 9999.
    pub fn after(self, duration: Duration) -> Self {
        let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_unix_ms(self.unix_ms.saturating_add(ms))
    }

    /// The instant `duration` before this one.
    pub fn before(self, duration: Duration) -> Self {
        let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self::from_unix_ms(self.unix_ms.saturating_sub(ms))
    }

    /// The time from `earlier` to this; zero where `earlier` is later.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(self.unix_ms - earlier.unix_ms).unwrap_or(0))
    }

    /// Reads RFC 3339, or says why not.
    pub fn parse(text: &str) -> Result<Self, String> {
        let instant = OffsetDateTime::parse(text, &Rfc3339)
            .map_err(|error| format!("expected an RFC 3339 time such as 2025-01-15T10:30:45Z: {error}"))?;
        let ms = instant.unix_timestamp_nanos() / 1_000_000;
        Ok(Self::from_unix_ms(i64::try_from(ms).unwrap_or(UNIX_MS_MAX)))
    }
}

impl fmt::Display for Timestamp {
    /// `2025-01-15T10:30:45Z`, with milliseconds where there are any: `2025-01-15T10:30:45.250Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, ms) = (self.unix_ms / 1000, self.unix_ms % 1000);
        let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (date, time) = (at.date(), at.time());
        write!(
            f,
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
            date.year(),
            u8::from(date.month()),
            date.day(),
            time.hour(),
            time.minute(),
            time.second()
        )?;
        if ms != 0 {
            write!(f, ".{ms:03}")?;
        }
        f.write_str("Z")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_the_guide_writes_it() {
        assert_eq!(Timestamp::from_unix_ms(1_736_937_045_000).to_string(), "2025-01-15T10:30:45Z");
        assert_eq!(Timestamp::from_unix_ms(1_736_937_045_007).to_string(), "2025-01-15T10:30:45.007Z");
    }

    #[test]
    fn what_is_written_is_read_back() {
        for ms in [0, 1, 999, 1_736_937_045_123, UNIX_MS_MAX] {
            let at = Timestamp::from_unix_ms(ms);
            assert_eq!(Timestamp::parse(&at.to_string()), Ok(at));
        }
        assert!(Timestamp::parse("yesterday").unwrap_err().contains("2025-01-15T10:30:45Z"));
    }

    #[test]
    fn it_never_overflows() {
        let end = Timestamp::from_unix_ms(i64::MAX);
        assert_eq!(end.after(Duration::MAX), end);
        assert_eq!(Timestamp::from_unix_ms(0).since(end), Duration::ZERO);
    }
}
