//! Debian's Core Rule Set over a handful of requests: what attacks raise, and that a browser passes.

mod common;
mod support;

use secbeat_engine::{Facts, Kind, Program};
use secbeat_seclang::Variable::{self, *};
use support::Outcome;

/// A page asked for by a browser, with this query.
fn page<'a>(query: &'a [(&'a str, &'a str)]) -> Vec<(Variable, &'a str, &'a str)> {
    let mut values = vec![
        (RequestLine, "", "GET /shop/list.html HTTP/1.1"),
        (RequestMethod, "", "GET"),
        (RequestProtocol, "", "HTTP/1.1"),
        (RequestUri, "", "/shop/list.html"),
        (RequestUriRaw, "", "/shop/list.html"),
        (RequestFilename, "", "/shop/list.html"),
        (RequestBasename, "", "list.html"),
        (RequestHeaders, "Host", "shop.example.org"),
        (
            RequestHeaders,
            "User-Agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        ),
        (RequestHeaders, "Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        (RequestHeaders, "Accept-Language", "en-US,en;q=0.5"),
        (RequestHeaders, "Cookie", "session=abc123; theme=dark"),
        (RequestCookies, "session", "abc123"),
        (RequestCookies, "theme", "dark"),
        (ResponseStatus, "", "200"),
    ];
    values.extend(query.iter().map(|(name, value)| (ArgsGet, *name, *value)));
    values
}

fn run(program: &Program, query: &[(&str, &str)]) -> Outcome {
    support::run(program, Facts { plain: true, unique_id: "u1", ..Facts::default() }, &page(query))
}

#[test]
fn the_names_of_headers_are_made_no_variables_where_none_is_restricted() {
    let Some(program) = common::program(1) else { return };
    assert!(program.leaves_unset(b"header_name_accept"), "rule 920450 is foreseen");
    assert!(!program.leaves_unset(b"header_name") && !program.leaves_unset(b"0"));
}

#[test]
fn a_browser_passes_and_attacks_are_stopped_by_their_score() {
    let Some(program) = common::program(1) else { return };
    let outcome = run(&program, &[("page", "2"), ("sort", "price asc"), ("q", "red shoes & socks")]);
    assert_eq!(outcome.stopped, None, "{:?}", outcome.matches);
    assert_eq!(outcome.tx("anomaly_score"), Some("0"));

    let attacks = [
        ("1' OR '1'='1' -- ", 942100),
        ("<script>alert(1)</script>", 941100),
        ("../../../../etc/passwd", 930120),
        (";cat /etc/passwd", 932160),
        ("java.lang.Runtime", 944100),
        ("O:8:\"stdClass\":0:{}", 933170),
    ];
    for (value, id) in attacks {
        let outcome = run(&program, &[("q", value)]);
        assert!(outcome.ids.contains(&id), "{value}: {:?}", outcome.ids);
        let stopped = outcome.stopped.expect(value);
        let rule = &program.rules()[stopped.rule.expect(value) as usize];
        assert_eq!((rule.id, stopped.kind, stopped.status), (949110, Kind::Deny, 403));
        let told =
            outcome.matches.iter().find(|told| program.rules()[told.rule as usize].id == id).expect(value);
        assert_eq!(told.variable, "ARGS:q");
    }
}

#[test]
fn levels_of_paranoia_add_rules() {
    let Some(first) = common::program(1) else { return };
    let Some(fourth) = common::program(4) else { return };
    let query = [("q", "a;b=c&d")];
    assert!(run(&first, &query).ids.iter().all(|id| *id != 942432));
    assert!(run(&fourth, &query).ids.contains(&942432));
}
