use super::*;
use crate::recorder::RecorderOptions;
use proptest::prelude::*;
use secbeat_types::{Action, Category, RuleMatch, Severity, Timestamp};
use std::time::Duration;

fn mask() -> Mask {
    Mask::new(
        ["authorization", "X-Api-Key"],
        ["password", "access_token", "pin", "token", "secret", "session", "pwd", "code"],
    )
}

fn options() -> RecorderOptions {
    RecorderOptions {
        enable: true,
        sample_every: 1,
        bytes_max: 1 << 20,
        bodies: true,
        body_bytes_max: 4096,
        mask: mask(),
        keep: Duration::from_secs(60),
        anonymize: false,
    }
}

fn draft() -> Draft {
    Draft {
        request_id: "5f0c9a3e7d214b68".into(),
        timestamp: Timestamp::from_unix_ms(0),
        client_ip: "192.0.2.77".parse().unwrap(),
        site: String::new(),
        method: "POST".into(),
        target: "/".into(),
        version: "HTTP/1.1",
        fields: Vec::new(),
        body: None,
        body_bytes: 0,
        status: 403,
        stopped: true,
        action: "stopped",
        rule_id: None,
        matches: Vec::new(),
    }
}

fn with_body(content_type: &str, body: &str) -> Draft {
    Draft {
        fields: vec![("Content-Type".into(), content_type.into())],
        body: Some(body.into()),
        body_bytes: body.len() as u64,
        ..draft()
    }
}

fn found(variable: &str, matched: &str) -> RuleMatch {
    RuleMatch {
        rule_id: "r1".into(),
        name: "r".into(),
        category: Category::SqlInjection,
        severity: Severity::High,
        action: Action::Block,
        variable: variable.into(),
        matched: matched.into(),
        transformations: Vec::new(),
    }
}

fn kept(draft: Draft) -> Record {
    mask().record(draft, &options())
}

fn target(target: &str) -> String {
    kept(Draft { target: target.into(), ..draft() }).target
}

fn field(name: &str, value: &str) -> String {
    kept(Draft { fields: vec![(name.into(), value.into())], ..draft() }).fields[0].1.clone()
}

fn body(content_type: &str, body: &str) -> Option<String> {
    kept(with_body(content_type, body)).body.unwrap().text
}

#[test]
fn what_is_not_secret_is_kept_as_it_came() {
    let plain = "/a/b;v=1?q=1&r=%20x&flag&=&q=a+b";
    assert_eq!(target(plain), plain);
    assert_eq!(field("User-Agent", "curl/8 (x: y)"), "curl/8 (x: y)");
    assert_eq!(field("Accept", "text/html;q=0.9, */*"), "text/html;q=0.9, */*");
    assert_eq!(body("application/x-www-form-urlencoded", "a=1&b=2").unwrap(), "a=1&b=2");
    assert_eq!(body("application/json", r#"{ "a": [1, "x"] }"#).unwrap(), r#"{"a":[1,"x"]}"#);
    assert_eq!(body("text/plain", "spinning: yes").unwrap(), "spinning: yes");
}

#[test]
fn secret_parameters_keep_their_names() {
    assert_eq!(target("/in?a=1&password=hunter2&b=2"), "/in?a=1&password=[masked]&b=2");
    assert_eq!(target("/in?user[Pass-Word]=hunter2"), "/in?user[Pass-Word]=[masked]");
    assert_eq!(
        target("/in?%70assword=hunter2&accessToken=x"),
        "/in?%70assword=[masked]&accessToken=[masked]"
    );
    assert_eq!(body("application/x-www-form-urlencoded", "pin=1234&a=1").unwrap(), "pin=[masked]&a=1");
    assert_eq!(
        body("application/json; charset=utf-8", r#"{"a":{"Password":["x",{"y":1}]},"b":2}"#).unwrap(),
        r#"{"a":{"Password":"[masked]"},"b":2}"#
    );
}

#[test]
fn names_that_hold_a_secret_word_are_secret_and_short_words_only_as_a_whole() {
    for name in [
        "client_secret",
        "clientSecret",
        "clientsecret",
        "new_password",
        "passwordConfirm",
        "auth_token",
        "XMLToken",
        "authToken2",
        "newPwd",
        "user_pwd2",
        "user[new-pwd]",
        "jsessionid",
        "pin",
        "user.pin",
        "CODE",
    ] {
        assert_eq!(target(&format!("/?{name}=x&a=1")), format!("/?{name}=[masked]&a=1"));
    }
    for name in
        ["zip_code", "mapPin", "pin_color", "spinning", "tokenizer", "encode", "status-code", "discard"]
    {
        assert_eq!(target(&format!("/?{name}=x&a=1")), format!("/?{name}=x&a=1"));
    }
    for name in ["X-Vault-Token", "x-amz-security-token", "X-Client-Secret", "XApiKey", "X-Session-Id"] {
        assert_eq!(field(name, "x"), "[masked]", "{name}");
    }
}

#[test]
fn objects_that_name_a_secret_keep_the_name_alone() {
    let json = |text: &str| body("application/json", text).unwrap();
    assert_eq!(
        json(r#"[{"name":"password","value":"x"},{"name":"colour","value":"y"}]"#),
        r#"[{"name":"password","value":"[masked]"},{"name":"colour","value":"y"}]"#
    );
    assert_eq!(json(r#"{"Key":"auth_token","v":{"a":1}}"#), r#"{"Key":"auth_token","v":"[masked]"}"#);
    assert_eq!(target(r#"/?x={"value":"y","name":"password"}"#), "/?[masked]");
}

#[test]
fn what_is_no_plain_pair_is_masked_with_all_that_follows() {
    assert_eq!(target("/?a=1;password=x&b=2"), "/?[masked]");
    assert_eq!(target("/?data=%7B%22password%22%3A%22x%22%7D&b=2"), "/?[masked]");
    assert_eq!(target("/?{\"password\":\"a&b\"}"), "/?[masked]");
    assert_eq!(target("/x;password=y/z?a=1"), "/x;password=[masked]?a=1");
    assert_eq!(target("/x;v=1;jsessionid=A.b;w=2?a=1"), "/x;v=1;jsessionid=[masked]?a=1");
    assert_eq!(target("/x%3Bjsessionid%3DA?a=1"), "[masked]?a=1");
    assert_eq!(target("/token=y;session=z"), "[masked]");
    assert_eq!(target("http://user:word@shop.example/?a=1"), "[masked]?a=1");
}

#[test]
fn fields_that_carry_credentials_are_masked() {
    assert_eq!(field("AUTHORIZATION", "Bearer abc.def"), "Bearer [masked]");
    assert_eq!(field("authorization", "abc.def"), "[masked]");
    assert_eq!(field("x-api-key", "Basic abc"), "[masked]");
    assert_eq!(field("Password", "x"), "[masked]");
    assert_eq!(field("Cookie", "a=1; sid=2;flag"), "a=[masked]; sid=[masked];[masked]");
    assert_eq!(
        field("Referer", "https://shop.example/in?password=x&a=1"),
        "https://shop.example/in?password=[masked]&a=1"
    );
    assert_eq!(field("X-Debug", "user=a, password = x"), "[masked]");
}

#[test]
fn bodies_that_cannot_be_read_are_told_of_by_their_length() {
    for (content_type, text) in [
        ("application/json", r#"{"password":"x"#),
        ("application/json", &("[".repeat(1000) + &"]".repeat(1000))),
        ("text/plain", r#"{"password":"x"#),
        ("multipart/form-data; boundary=x", "--x\r\n"),
        ("text/xml", "<password>x</password>"),
        ("", "password=x"),
    ] {
        let record = kept(with_body(content_type, text));
        let length = BodyText { bytes: text.len() as u64, text: None, truncated: false };
        assert_eq!(record.body, Some(length), "{content_type}");
    }
    let without = RecorderOptions { bodies: false, ..options() };
    let record = mask().record(with_body("text/plain", "x"), &without);
    assert_eq!(record.body.unwrap().text, None);
    assert_eq!(kept(draft()).body, None);
}

#[test]
fn long_bodies_are_cut_after_masking() {
    let long = format!("a={}&password=hunter2", "ü".repeat(3000));
    let record = kept(with_body("application/x-www-form-urlencoded", &long));
    let body = record.body.unwrap();
    assert!(body.truncated && body.bytes == long.len() as u64);
    assert_eq!(body.text.unwrap().len(), 4096);
}

#[test]
fn what_rules_matched_is_kept_where_it_is_not_secret() {
    let matched = |variable: &str, matched: &str| {
        let record = kept(Draft {
            target: "/?q=%27+or+1&data=%7B%22pin%22:%22%27+or+1%22%7D".into(),
            matches: vec![found(variable, matched)],
            ..with_body("application/x-www-form-urlencoded", "text=<script>&a=1")
        });
        let note = record.matches[0].clone();
        (note.variable, note.matched)
    };
    let same = |variable: &str, text: &str| (variable.to_owned(), text.to_owned());
    assert_eq!(matched("query:q", "1=1"), same("query:q", "1=1"));
    assert_eq!(matched("path", "../"), same("path", "../"));
    assert_eq!(matched("body", "<script>"), same("body", "<script>"));
    assert_eq!(matched("body", "elsewhere"), same("body", MASKED));
    for variable in ["query:Password", "body:user.pin", "cookie:a", "header:cookie", "header:authorization"] {
        assert_eq!(matched(variable, "1=1").1, MASKED, "{variable}");
    }
    // A part of what is masked, under a name that is not.
    assert_eq!(matched("query:data", "' or 1").1, MASKED);
    assert_eq!(matched("query:password:x=1", "1=1"), same("query:[masked]", MASKED));
}

#[test]
fn addresses_are_cut_everywhere_where_that_is_asked_for() {
    let fields = ["Forwarded", "X-Forwarded-For", "x-real-ip"].map(|name| (name.into(), "192.0.2.77".into()));
    let options = RecorderOptions { anonymize: true, ..options() };
    let record = mask().record(Draft { fields: fields.into(), ..draft() }, &options);
    let text = serde_json::to_string(&record).unwrap();
    assert!(!text.contains("192.0.2.77") && text.contains("192.0.2.0"), "{text}");
}

#[test]
fn masking_takes_time_in_proportion_to_the_text() {
    // Each of these would take minutes if it were looked at again for each of its characters.
    for unit in ["=", ":", "a=", " ", "password ", "&", "\\", "%25", "]:", "%2525="] {
        let text = unit.repeat(BODY_BYTES_READ_MAX / unit.len());
        assert!(kept(with_body("text/plain", &text)).body.is_some());
        assert!(kept(with_body("application/x-www-form-urlencoded", &text)).body.is_some());
    }
}

/// One of the masked names in a form that a backend may read as it.
fn name() -> impl Strategy<Value = String> {
    let plain = prop::sample::select(vec![
        "password",
        "access_token",
        "pin",
        "Access-Token",
        "PASSWORD",
        "client_secret",
        "clientSecret",
        "new_password",
        "X-Vault-Token",
        "x-amz-security-token",
        "jsessionid",
        "userPwd",
        "pwd2",
    ]);
    let around = prop::sample::select(vec!["{}", "user[{}]", "a.{}", "{}[]", "{}[0]", " {}"]);
    (plain, around, 0_u8..4).prop_map(|(name, around, encoding)| {
        let name = around.replace("{}", name);
        let percent = |text: &str, every: usize| -> String {
            let encoded = text.bytes().enumerate().map(|(i, byte)| match i % every {
                0 => format!("%{byte:02x}"),
                _ => char::from(byte).to_string(),
            });
            encoded.collect()
        };
        match encoding {
            0 => name,
            1 => percent(&name, 1),
            2 => percent(&name, 3),
            _ => percent(&percent(&name, 2), 1),
        }
    })
}

/// Values that are not secret, with whatever could lead astray.
fn filler() -> impl Strategy<Value = String> {
    "[a-z0-9 =&;:?/%+\"'\\\\{}\\[\\],.<>#@-]{0,24}"
}

proptest! {
    #[test]
    fn no_value_of_a_masked_name_survives(
        name in name(),
        // Nothing else makes such a word.
        tail in "[A-Z0-9]{6,20}",
        before in filler(),
        after in filler(),
        bracket in prop::sample::select(vec!["", " ", "'", "\"", "{", "=", ";"]),
        place in 0_usize..17,
    ) {
        let secret = format!("Z{tail}");
        let value = format!("{bracket}{secret}");
        let raw = draft();
        let with_field =
            |name: &str, value: String| Draft { fields: vec![(name.to_owned(), value)], ..draft() };
        let json_name = serde_json::to_string(&name).unwrap();
        let json_value = serde_json::to_string(&value).unwrap();
        let json_before = serde_json::to_string(&before).unwrap();
        let nested = format!(r#"{{"a":[{json_before},{{"b":{{{json_name}:[{json_value},{{"c":{json_value}}}]}}}}]}}"#);
        let pair = |members: &str| format!("[{json_before},{{{members}}}]");
        let draft = match place {
            14 => with_body("application/json", &pair(&format!(r#""name":{json_name},"value":[{json_value}]"#))),
            15 => with_body("application/json", &pair(&format!(r#""value":{{"a":{json_value}}},"Key":{json_name}"#))),
            16 => Draft { target: format!("/a;v={before};{name}={value}?{after}"), ..raw },
            0 => Draft { target: format!("/{before}?{name}={value}&{after}"), ..raw },
            1 => Draft { target: format!("/?x={before}&{name}={value}"), ..raw },
            2 => Draft { target: format!("/{before};{name}={value}/{after}"), ..raw },
            3 => Draft { target: format!("/?x={before};{name}={value};{after}"), ..raw },
            4 => with_field("Referer", format!("https://shop.example/{before}?{name}={value}&{after}")),
            5 => with_field("X-Whatever", format!("{before} {name}: {value} {after}")),
            6 => with_field("Cookie", format!("x={before}; {name}={value}; {after}")),
            7 => with_field(&name, format!("{value} {after}")),
            8 => with_body("application/x-www-form-urlencoded", &format!("x={before}&{name}={value}&{after}")),
            9 => with_body("application/json", &nested),
            10 => with_body("text/plain", &format!("{before}\n{name} = {value}\n{after}")),
            11 => with_body("application/x-www-form-urlencoded", &nested),
            12 => Draft { target: format!("/?x={}", nested.replace('&', "%26")), ..raw },
            _ => Draft { matches: vec![found(&format!("query:{name}"), &value), found("body", &value)], ..raw },
        };
        // What a rule finds where the value stands, under whatever name it finds it.
        let found_there = match place {
            0 | 1 | 3 | 12 => Some(found("query:x", &secret)),
            2 => Some(found("path", &secret)),
            8 | 9 | 11 | 14 | 15 => Some(found("body:x", &secret)),
            10 => Some(found("body", &secret)),
            _ => None,
        };
        let matches = draft.matches.iter().cloned().chain(found_there).collect();
        let draft = Draft { matches, ..draft };
        let text = serde_json::to_string(&kept(draft)).unwrap();
        prop_assert!(!text.contains(&secret), "{}", text);
    }

    #[test]
    fn whatever_a_client_sends_can_be_masked(
        target in any::<String>(),
        value in any::<String>(),
        body in any::<Vec<u8>>(),
        kind in prop::sample::select(vec!["application/json", "text/plain", "application/x-www-form-urlencoded"]),
    ) {
        let fields = ["content-type", "cookie", "authorization", "x"].map(|name| {
            (name.to_owned(), if name == "content-type" { kind.to_owned() } else { value.clone() })
        });
        let body_bytes = body.len() as u64;
        let draft = Draft { target, fields: fields.into(), body: Some(body), body_bytes, ..draft() };
        let record = kept(draft);
        let text = serde_json::to_string(&record).unwrap();
        prop_assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
    }
}

#[test]
fn what_matched_in_a_secret_place_is_masked_in_events_too_by_its_name_in_either_language() {
    let mask = Mask::new(["authorization"], ["password"]);
    let found = |variable: &str, matched: &str| RuleMatch {
        rule_id: "1".into(),
        name: "".into(),
        category: Category::Other,
        severity: Severity::Low,
        action: Action::Log,
        variable: variable.into(),
        matched: matched.into(),
        transformations: Vec::new(),
    };
    let mut matches = vec![
        found("ARGS:password", "hunter2"),
        found("query:new_password", "hunter2"),
        found("REQUEST_HEADERS:Authorization", "hunter2"),
        found("REQUEST_HEADERS:Cookie", "hunter2"),
        found("REQUEST_COOKIES:theme", "hunter2"),
        found("REQUEST_BODY", "password=hunter2"),
    ];
    mask.matches(&mut matches);
    assert!(matches.iter().all(|found| found.matched == MASKED), "{matches:?}");
    let mut plain =
        vec![found("ARGS:q", "1 or 1=1"), found("REQUEST_BODY", "<script"), found("path", "/etc/passwd")];
    let before = plain.clone();
    mask.matches(&mut plain);
    assert_eq!(plain, before);
}
