//! The kill switch: what an operator turns when it is the firewall that hurts. Read at each request, so it waits for nothing: no
//! rule is compiled, no policy made, no disk written before it is in force.

use crate::host;
use arc_swap::ArcSwap;
use secbeat_settings::HostPattern;
use secbeat_types::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
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
    turned: ArcSwap<Turned>,
}

/// The switches, by what they are for.
#[derive(Debug, Default)]
struct Turned {
    switches: Vec<Switch>,
    all: Option<Position>,
    exact: HashMap<String, Position>,
    /// Parents of names, the longest first.
    parents: Vec<(HostPattern, Position)>,
}

/// What a switch is at, and until when.
type Position = (Stance, Timestamp);

impl Turned {
    fn new(switches: Vec<Switch>) -> Self {
        let mut turned = Turned::default();
        for switch in &switches {
            let position = (switch.mode, switch.until);
            if switch.hosts.is_empty() {
                turned.all = Some(position);
            }
            for host in &switch.hosts {
                match host {
                    HostPattern::Exact(name) => drop(turned.exact.insert(name.clone(), position)),
                    parent @ HostPattern::Suffix(_) => turned.parents.push((parent.clone(), position)),
                }
            }
        }
        turned.parents.sort_by_key(|(parent, _)| std::cmp::Reverse(parent.to_string().len()));
        Turned { switches, ..turned }
    }

    /// The switch that names the host; else that of its longest parent; else that of all.
    fn stance(&self, authority: &[u8], now: Timestamp) -> Stance {
        let is_on = |(_, until): &&Position| now < *until;
        let name = host::name(authority);
        let of_parents = || {
            let parents = self.parents.iter().filter(|(parent, _)| parent.matches(&name));
            parents.map(|(_, position)| position).find(is_on)
        };
        let position = self.exact.get(&*name).filter(is_on).or_else(of_parents);
        position.or(self.all.as_ref().filter(is_on)).map_or(Stance::Normal, |(stance, _)| *stance)
    }
}

impl KillSwitch {
    /// Turns to exactly these.
    pub fn set(&self, switches: Vec<Switch>) {
        let is_any = !switches.is_empty();
        self.turned.store(Arc::new(Turned::new(switches)));
        self.engaged.store(is_any, Ordering::Release);
    }

    /// The switches that are turned, expired ones among them.
    pub fn switches(&self) -> Vec<Switch> {
        self.turned.load().switches.clone()
    }

    /// How the firewall stands at `now` towards `authority` (`host[:port]` as a request has it). Costs one load where nothing
    /// is turned.
    pub fn stance(&self, authority: &[u8], now: Timestamp) -> Stance {
        if !self.engaged.load(Ordering::Acquire) {
            return Stance::Normal;
        }
        self.turned.load().stance(authority, now)
    }

    /// Whether it is turned for all hosts at `now`: then what programs have decided about clients does not count.
    pub fn suspends_programs(&self, now: Timestamp) -> bool {
        self.engaged.load(Ordering::Acquire) && self.turned.load().all.is_some_and(|(_, until)| now < until)
    }

    /// The strongest stance towards any host at `now`: for metrics.
    pub fn strongest(&self, now: Timestamp) -> Stance {
        let turned = self.turned.load();
        turned.switches.iter().filter(|s| now < s.until).map(|s| s.mode).max().unwrap_or_default()
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
    fn the_switch_that_names_the_host_counts_until_its_end_and_then_the_next() {
        let kill = KillSwitch::default();
        let stance = |host: &str, at| kill.stance(host.as_bytes(), Timestamp::from_unix_ms(at));
        assert_eq!(stance("shop.example", 0), Stance::Normal);
        kill.set(vec![
            switch(Stance::Off, &[], 100),
            switch(Stance::Monitor, &["*.example"], 80),
            switch(Stance::Normal, &["*.shop.example", "b.example"], 50),
        ]);
        assert_eq!(stance("other", 0), Stance::Off);
        assert_eq!(stance("a.example:8443", 0), Stance::Monitor);
        assert_eq!(stance("A.Shop.Example.", 0), Stance::Normal);
        assert_eq!(stance("b.example", 0), Stance::Normal);
        assert_eq!(stance("a.shop.example", 50), Stance::Monitor);
        assert_eq!(stance("a.shop.example", 80), Stance::Off);
        assert_eq!(stance("a.shop.example", 100), Stance::Normal);
        kill.set(Vec::new());
        assert_eq!(stance("other", 0), Stance::Normal);
    }
}
