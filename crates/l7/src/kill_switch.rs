//! The kill switch: what an operator turns when it is the firewall that hurts. Read at each request, so it waits for nothing: no
//! rule is compiled, no policy made, no disk written before it is in force.

use crate::host;
use arc_swap::ArcSwap;
use secbeat_settings::HostPattern;
use secbeat_types::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How the firewall stands. Ordered: a later one lets more through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stance {
    /// It does what it is set to.
    #[default]
    Normal,
    /// Firewall and rates log, and stop nothing.
    Monitor,
    /// Firewall and rates do not look.
    Off,
}

impl Stance {
    /// The name in calls and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Stance::Normal => "normal",
            Stance::Monitor => "monitor",
            Stance::Off => "off",
        }
    }
}

/// One turn of the switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// What it turned to.
    pub mode: Stance,
    /// The hosts concerned; none: all.
    #[serde(with = "patterns")]
    pub hosts: Vec<HostPattern>,
    /// When it turns back by itself.
    pub until: Timestamp,
    /// When it was turned.
    pub since: Timestamp,
    /// Why, in the words of who turned it; may be empty.
    pub reason: String,
}

/// Every switch that is turned.
#[derive(Debug, Default)]
pub struct KillSwitch {
    engaged: AtomicBool,
    switches: ArcSwap<Vec<Switch>>,
}

impl KillSwitch {
    /// Turns to exactly these.
    pub fn set(&self, switches: Vec<Switch>) {
        let is_any = !switches.is_empty();
        self.switches.store(Arc::new(switches));
        self.engaged.store(is_any, Ordering::Release);
    }

    /// The switches that are turned, expired ones among them.
    pub fn switches(&self) -> Arc<Vec<Switch>> {
        self.switches.load_full()
    }

    /// How the firewall stands at `now` towards `authority` (`host[:port]` as a request has it). Costs one load where nothing
    /// is turned.
    pub fn stance(&self, authority: &[u8], now: Timestamp) -> Stance {
        if !self.engaged.load(Ordering::Acquire) {
            return Stance::Normal;
        }
        let name = host::name(authority);
        let switches = self.switches.load();
        let concerned = switches.iter().filter(|switch| now < switch.until).filter(|switch| {
            switch.hosts.is_empty() || switch.hosts.iter().any(|pattern| pattern.matches(&name))
        });
        concerned.map(|switch| switch.mode).max().unwrap_or_default()
    }

    /// Whether it is turned for all hosts at `now`: then what programs have decided about clients does not count.
    pub fn suspends_programs(&self, now: Timestamp) -> bool {
        self.engaged.load(Ordering::Acquire)
            && self.switches.load().iter().any(|switch| switch.hosts.is_empty() && now < switch.until)
    }

    /// The strongest stance towards any host at `now`: for metrics.
    pub fn strongest(&self, now: Timestamp) -> Stance {
        self.switches.load().iter().filter(|s| now < s.until).map(|s| s.mode).max().unwrap_or_default()
    }
}

/// Patterns of hosts as they are written.
mod patterns {
    use secbeat_settings::HostPattern;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(hosts: &[HostPattern], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(hosts.iter().map(HostPattern::to_string))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<HostPattern>, D::Error> {
        let read = |text: String| {
            HostPattern::parse(&text).ok_or_else(|| {
                D::Error::custom(format!("expected a host such as shop.example, found {text:?}"))
            })
        };
        Vec::<String>::deserialize(deserializer)?.into_iter().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn switch(mode: Stance, hosts: &[&str], until: i64) -> Switch {
        Switch {
            mode,
            hosts: hosts.iter().map(|host| HostPattern::parse(host).unwrap()).collect(),
            until: Timestamp::from_unix_ms(until),
            since: Timestamp::from_unix_ms(0),
            reason: String::new(),
        }
    }

    #[test]
    fn the_switch_that_lets_most_through_counts_until_its_end() {
        let kill = KillSwitch::default();
        let stance = |host: &str, at| kill.stance(host.as_bytes(), Timestamp::from_unix_ms(at));
        assert_eq!(stance("shop.example", 0), Stance::Normal);
        kill.set(vec![switch(Stance::Monitor, &[], 100), switch(Stance::Off, &["*.shop.example"], 50)]);
        assert_eq!(stance("a.shop.example:8443", 0), Stance::Off);
        assert_eq!(stance("A.Shop.Example.", 0), Stance::Off);
        assert_eq!(stance("shop.example", 0), Stance::Monitor);
        assert_eq!(stance("a.shop.example", 50), Stance::Monitor);
        assert_eq!(stance("a.shop.example", 100), Stance::Normal);
        kill.set(Vec::new());
        assert_eq!(stance("a.shop.example", 0), Stance::Normal);
    }
}
