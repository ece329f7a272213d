//! Whatever the bytes, the verdicts and the fingerprint are those of libinjection in C, and the gates let all of them
//! through. Without `libmodsecurity.so.3`, that reading ends and does not panic.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use secbeat_injection::{is_sqli, is_xss, may_be_sqli, may_be_xss};

#[path = "../../crates/injection/tests/common/oracle.rs"]
mod oracle;

static ORACLE: LazyLock<Option<oracle::Oracle>> = LazyLock::new(oracle::Oracle::load);

fuzz_target!(|data: &[u8]| {
    let (sqli, xss) = (is_sqli(data), is_xss(data));
    assert!(sqli.is_none() || may_be_sqli(data));
    assert!(!xss || may_be_xss(data));
    if let Some(oracle) = ORACLE.as_ref() {
        let padded = oracle::padded(data);
        assert_eq!(sqli.map(|found| found.as_bytes().to_vec()), oracle.sqli(data, &padded));
        // The C takes the byte 0xff for the end of the value, and does not see the attack behind it.
        let theirs = oracle.xss(data, &padded);
        assert!(xss == theirs || (xss && data.contains(&0xff)));
    }
});
