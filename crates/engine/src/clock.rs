//! The time, as rules ask for it: `TIME`, `TIME_HOUR`, …, in UTC.

use secbeat_seclang::Variable;
use time::OffsetDateTime;

/// A part of the time as a number, `TIME_MON` from 0 and `TIME_WDAY` from 0 (Sunday), as in ModSecurity. None: the variable is no
/// such part.
pub fn part(variable: Variable, now_ms: u64) -> Option<i64> {
    let seconds = i64::try_from(now_ms / 1000).unwrap_or(0);
    if variable == Variable::TimeEpoch {
        return Some(seconds);
    }
    let now = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    Some(match variable {
        Variable::TimeDay => i64::from(now.day()),
        Variable::TimeHour => i64::from(now.hour()),
        Variable::TimeMin => i64::from(now.minute()),
        Variable::TimeMon => i64::from(u8::from(now.month())) - 1,
        Variable::TimeSec => i64::from(now.second()),
        Variable::TimeWday => i64::from(now.weekday().number_days_from_sunday()),
        Variable::TimeYear => i64::from(now.year()),
        _ => return None,
    })
}

/// `TIME`: `HH:MM:SS`.
pub fn of_day(now_ms: u64) -> String {
    let part = |variable| part(variable, now_ms).unwrap_or(0);
    format!("{:02}:{:02}:{:02}", part(Variable::TimeHour), part(Variable::TimeMin), part(Variable::TimeSec))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_the_time_are_those_of_utc() {
        // 2026-02-28 23:59:58.750 UTC, a Saturday.
        let now = 1_772_323_198_750;
        let parts = [
            (Variable::TimeEpoch, 1_772_323_198),
            (Variable::TimeYear, 2026),
            (Variable::TimeMon, 1),
            (Variable::TimeDay, 28),
            (Variable::TimeWday, 6),
            (Variable::TimeHour, 23),
            (Variable::TimeMin, 59),
            (Variable::TimeSec, 58),
        ];
        for (variable, expected) in parts {
            assert_eq!(part(variable, now), Some(expected), "{variable:?}");
        }
        assert_eq!(of_day(now), "23:59:58");
        assert_eq!(part(Variable::RemoteAddr, now), None);
    }

    #[test]
    fn a_time_beyond_all_calendars_is_some_time() {
        assert!(part(Variable::TimeYear, u64::MAX).is_some());
    }
}
