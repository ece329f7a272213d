use crate::section::section;
use std::time::Duration;

section! {
    /// How long what concerns people is kept, and how exactly.
    Retention = "retention" {
        /// How long events are kept, in memory.
        events: Duration = Duration::from_secs(604_800) => range(60.0, 315_360_000.0);
        /// How long the recorder keeps requests.
        records: Duration = Duration::from_secs(604_800) => range(60.0, 315_360_000.0);
        /// Whether the access log and the recorder cut clients' addresses, to an IPv4 /24 and an IPv6 /48.
        anonymize_addresses: bool = false;
    }
}
