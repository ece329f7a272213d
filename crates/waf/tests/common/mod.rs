//! Requests as clients write them.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use secbeat_types::{Action, Category, Reason, Timestamp};
use secbeat_waf::{Context, Request, RuleSet, Settings, parse_rules};
use std::net::Ipv4Addr;

/// The rules that are shipped.
pub fn shipped() -> RuleSet {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../mitigation-node/config/waf_rules.json");
    let text = std::fs::read_to_string(path).unwrap();
    let rules = parse_rules(&text).unwrap_or_else(|error| panic!("{error}"));
    RuleSet::compile(&rules, &Settings::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// A request.
#[derive(Debug, Default)]
pub struct Sent {
    target: String,
    fields: Vec<(String, String)>,
    body: Option<String>,
}

const BOUNDARY: &str = "----WebKitFormBoundaryePkpFF7tjBAqx29L";

impl Sent {
    pub fn target(target: &str) -> Sent {
        Sent { target: target.into(), ..Sent::default() }
    }

    pub fn query_percent(value: &str) -> Sent {
        Sent::target(&format!("/search?q={}&page=1", percent(value)))
    }

    pub fn query_plus(value: &str) -> Sent {
        Sent::target(&format!("/search?q={}", percent(value).replace("%20", "+")))
    }

    pub fn query_twice(value: &str) -> Sent {
        Sent::target(&format!("/search?q={}", percent(&percent(value))))
    }

    pub fn header(name: &str, value: &str) -> Sent {
        Sent { fields: vec![(name.into(), value.into())], ..Sent::target("/") }
    }

    pub fn cookie(value: &str) -> Sent {
        Sent::header("Cookie", &format!("theme=dark; last={value}; lang=en"))
    }

    pub fn form(value: &str) -> Sent {
        let body = format!("name=Jane&comment={}&ok=1", percent(value).replace("%20", "+"));
        Sent::post("application/x-www-form-urlencoded", body)
    }

    pub fn json(value: &str) -> Sent {
        let body = serde_json::json!({"user": {"name": "Jane"}, "items": [{"text": value, "n": 1}]});
        Sent::post("application/json", body.to_string())
    }

    pub fn multipart(value: &str) -> Sent {
        let part = |name: &str, value: &str| {
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let body = format!("{}{}--{BOUNDARY}--\r\n", part("title", "A page"), part("text", value));
        Sent::post(&format!("multipart/form-data; boundary={BOUNDARY}"), body)
    }

    /// Control characters cannot be in XML; they are left out.
    pub fn xml(value: &str) -> Sent {
        let escaped = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        let escaped: String = escaped.chars().filter(|c| !c.is_control() || "\t\n\r".contains(*c)).collect();
        Sent::post(
            "application/xml",
            format!("<order n=\"1\"><name>Jane</name><text>{escaped}</text></order>"),
        )
    }

    pub fn post(content_type: &str, body: String) -> Sent {
        Sent {
            fields: vec![("Content-Type".into(), content_type.into())],
            body: Some(body),
            ..Sent::target("/comments")
        }
    }

    pub fn page(target: &str, browser: &[(&str, &str)]) -> Sent {
        let fields = browser.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Sent { fields: fields.collect(), ..Sent::target(target) }
    }

    /// What the rules make of it: the strongest action and the categories of what matched.
    pub fn judge(&self, rules: &RuleSet) -> (Action, Vec<Category>) {
        let fields: Vec<_> =
            self.fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
        let request =
            Request { method: b"GET", target: self.target.as_bytes(), fields: &fields, ..Request::default() };
        let mut transaction =
            rules.transaction(Context::plain(Ipv4Addr::LOCALHOST.into(), Timestamp::from_unix_ms(0)));
        let mut verdict = transaction.request_head(&request);
        if let (Action::Pass, Some(body)) = (verdict.action, &self.body) {
            let content_type = self.fields.first().map(|(_, value)| value.as_bytes());
            let kind = transaction.inspects_body(content_type).unwrap();
            verdict = transaction.request_body(kind, content_type, body.as_bytes(), true);
        }
        let categories = match verdict.reason {
            Reason::Rules(matches) => matches.into_iter().map(|found| found.category).collect(),
            _ => Vec::new(),
        };
        (verdict.action, categories)
    }
}

/// Percent-encodes everything but unreserved characters (RFC 3986 2.3).
pub fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(b).to_string(),
            _ => format!("%{b:02X}"),
        })
        .collect()
}

/// The headers of five browsers.
pub const BROWSERS: &[&[(&str, &str)]] = &[
    &[
        ("Host", "shop.example.com"),
        ("sec-ch-ua", "\"Not/A)Brand\";v=\"8\", \"Chromium\";v=\"126\", \"Google Chrome\";v=\"126\""),
        ("sec-ch-ua-mobile", "?0"),
        ("sec-ch-ua-platform", "\"Windows\""),
        ("Upgrade-Insecure-Requests", "1"),
        (
            "User-Agent",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
        ),
        (
            "Accept",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
        ),
        ("Accept-Encoding", "gzip, deflate, br, zstd"),
        ("Accept-Language", "en-GB,en;q=0.9,de;q=0.8"),
        (
            "Cookie",
            "_ga=GA1.2.1234567890.1700000000; session=s%3Aabc.DEF%2Bghi; prefs={\"theme\":\"dark\",\"n\":[1,2]}",
        ),
        ("If-None-Match", "W/\"5f-18c2a\""),
    ],
    &[
        ("Host", "shop.example.com"),
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0"),
        ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"),
        ("Accept-Language", "en-US,en;q=0.5"),
        ("Referer", "https://www.google.com/search?q=union+station+select+hotel&source=hp&ei=a_b-c"),
        ("DNT", "1"),
        ("Priority", "u=0, i"),
    ],
    &[
        ("Host", "shop.example.com"),
        (
            "User-Agent",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
        ),
        ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("Accept-Language", "fr-FR,fr;q=0.9"),
        ("Origin", "https://shop.example.com"),
    ],
    &[
        ("Host", "localhost:8443"),
        (
            "User-Agent",
            "Mozilla/5.0 (Linux; Android 14; Pixel 8 Build/AP1A.240505.004; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0.6422.165 Mobile Safari/537.36",
        ),
        ("Referer", "http://localhost:8443/cart?from=home&to=checkout"),
        ("X-Requested-With", "com.example.app"),
        ("Authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x-y_z"),
    ],
    &[
        ("Host", "127.0.0.1:8080"),
        ("User-Agent", "curl/8.5.0"),
        ("Accept", "*/*"),
        ("X-Forwarded-For", "203.0.113.7, 198.51.100.2"),
        ("Range", "bytes=0-1023,2048-"),
        ("Cookie", "a=1; _ga=GA1.2.123.456; theme=dark; cf_clearance=x.y-1700-0-1-z; utm=(direct)|(none)"),
    ],
];

/// Targets of an ordinary site.
pub const PAGES: &[&str] = &[
    "/",
    "/index.html",
    "/search?q=c%2B%2B+%3Cvector%3E+tutorial&page=2",
    "/products/trail-runner-3?colour=blue&size=42&sort=price_asc",
    "/static/app.8f3c2d1e.min.js?v=1.2.3",
    "/.well-known/security.txt",
    "/login?next=%2Faccount%2Forders%3Fid%3D17&lang=en",
    "/redirect?url=https://example.com/path?x=1%26y=2",
    "/wiki/Union_(set_theory)",
    "/api/v1/items?filter[name]=O%27Brien&fields=id,name,price&limit=50",
    "/track?utm_source=news&utm_campaign=summer%20sale%20%26%20more&t=1700000000",
    "/wp-content/uploads/2024/05/photo-1.jpg?w=300&h=200",
];
