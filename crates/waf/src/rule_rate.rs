//! How often a client may match a rule whose action is `rate_limit`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeStruct};
use std::time::Duration;

/// The longest time in which a burst may come back, in seconds: seven days, as for every rate of the product.
const WINDOW_S_MAX: f64 = 604_800.0;

/// So many matching requests in such a time; in JSON `{"requests": 10, "per": 60, "burst": 10}`, `per` in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleRate {
    /// Matching requests that a client may make in [`per`](Self::per); at least 1.
    pub requests: u64,
    /// 0.1 seconds to a day.
    pub per: Duration,
    /// How many it may make at once; where it is not given, as many as `requests`.
    pub burst: u64,
}

impl Default for RuleRate {
    /// 10 a minute.
    fn default() -> Self {
        RuleRate { requests: 10, per: Duration::from_secs(60), burst: 10 }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    requests: u64,
    per: f64,
    burst: Option<u64>,
}

impl<'de> Deserialize<'de> for RuleRate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Source { requests, per, burst } = Source::deserialize(deserializer)?;
        let burst = burst.unwrap_or(requests);
        if requests == 0 || burst == 0 {
            return Err(D::Error::custom("expected `requests` and `burst` of at least 1"));
        }
        if !(0.1..=86_400.0).contains(&per) {
            return Err(D::Error::custom("expected `per` in seconds, from 0.1 to 86400"));
        }
        if burst as f64 / requests as f64 * per > WINDOW_S_MAX {
            return Err(D::Error::custom(
                "expected a `burst` that comes back within seven days at this rate",
            ));
        }
        Ok(RuleRate { requests, per: Duration::from_secs_f64(per), burst })
    }
}

impl Serialize for RuleRate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut rate = serializer.serialize_struct("RuleRate", 3)?;
        rate.serialize_field("requests", &self.requests)?;
        if self.per.subsec_nanos() == 0 {
            rate.serialize_field("per", &self.per.as_secs())?;
        } else {
            rate.serialize_field("per", &self.per.as_secs_f64())?;
        }
        rate.serialize_field("burst", &self.burst)?;
        rate.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_that_is_written_is_read_back() {
        for text in [r#"{"requests":5,"per":60,"burst":9}"#, r#"{"requests":1,"per":0.5,"burst":1}"#] {
            let rate: RuleRate = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&rate).unwrap(), text);
        }
        let rate: RuleRate = serde_json::from_str(r#"{"requests":7,"per":1}"#).unwrap();
        assert_eq!(rate.burst, 7);
    }

    #[test]
    fn a_rate_that_cannot_be_is_refused() {
        for bad in [
            r#"{"requests":0,"per":60}"#,
            r#"{"requests":1,"per":0}"#,
            r#"{"requests":1,"per":100000}"#,
            r#"{"requests":1,"per":1,"burst":0}"#,
            r#"{"requests":1,"per":86400,"burst":8}"#,
            r#"{"requests":1}"#,
            r#"{"requests":1,"per":1,"brst":2}"#,
            r#"{"requests":-1,"per":1}"#,
        ] {
            assert!(serde_json::from_str::<RuleRate>(bad).is_err(), "{bad}");
        }
    }
}
