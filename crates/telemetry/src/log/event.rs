//! The line of a security event: the guide's fields in the guide's order, then ours.

use super::{Level, Logger};
use secbeat_types::{Event, EventKind};

pub(super) fn write(logger: &Logger, event: &Event) {
    let about_a_request = matches!(event.kind, EventKind::Attack | EventKind::Limit | EventKind::Protocol);
    let level = match event.kind {
        EventKind::Decision => Level::Info,
        EventKind::Policy if !event.blocked => Level::Info,
        EventKind::Backend => Level::Error,
        _ => Level::Warn,
    };
    let mut line = logger.line_at(event.timestamp, level, event.component, event.event);
    line = line.opt_str("attack_type", event.attack_type.map(|category| category.as_str()));
    if let Some(ip) = event.client_ip {
        line = line.ip("client_ip", ip);
    }
    line = line.opt_str("actor", event.actor.as_deref());
    line = line.opt_str("user_agent", event.user_agent.as_deref());
    if about_a_request {
        line = line.bool("blocked", event.blocked);
    }
    line = line
        .opt_str("rule_id", event.rule_id.as_deref())
        .opt_str("request_id", event.request_id.as_deref())
        .opt_str("method", event.method.as_deref())
        .opt_str("host", event.host.as_deref())
        .opt_str("target", event.target.as_deref());
    if let Some(status) = event.status {
        line = line.u64("status", status.into());
    }
    if !event.reason.is_empty() {
        line = line.str("reason", &event.reason);
    }
    if let Some(first) = event.matches.first() {
        line = line.str("variable", &first.variable).str("matched", &first.matched);
    }
    line.send();
}
