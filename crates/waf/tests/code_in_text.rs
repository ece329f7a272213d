//! Where the shipped rules draw the line between code that people write about and code that is meant to run.

mod common;

use common::{Sent, shipped};
use secbeat_types::Action;

#[test]
fn a_comparison_after_a_double_operator_is_an_injection_only_beside_sql() {
    let rules = shipped();
    for value in [
        "1 && 1=1",
        "1' && 2<4",
        "1\" || 5>3",
        "1 || 2>1-- -",
        "1 && 2<4#",
        "1 || 1>(select 0)",
        "1 || 2 like 2",
    ] {
        assert_eq!(Sent::query_percent(value).judge(&rules).0, Action::Block, "{value}");
    }
    for value in
        ["5 > 3 && 2 < 4", "while (i > 0 || 3 < n)", "{\"a\":\"It's 5 > 3 && 2 < 4\"}", "a || 1 > 0 ? b : c"]
    {
        assert_eq!(Sent::query_percent(value).judge(&rules).0, Action::Pass, "{value}");
    }
}

#[test]
fn a_pager_with_a_file_is_a_command_and_more_or_less_are_words() {
    let rules = shipped();
    for value in ["x;less /etc/passwd", "x;more</etc/passwd", "x|less < /etc/shadow", "x & more ../secret"] {
        assert_eq!(Sent::query_percent(value).judge(&rules).0, Action::Block, "{value}");
    }
    for value in ["3 & less < more", "5 & more > less", "salt & more", "two; less >more"] {
        assert_eq!(Sent::query_percent(value).judge(&rules).0, Action::Pass, "{value}");
    }
}
